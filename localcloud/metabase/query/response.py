"""The streaming answer of a query, as Metabase gives it: begun at once, chunked, `Connection: close`, gzip where the
client takes it, and a client that leaves ends the query.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..exports.writer import Writer
from .execute import Execution
from .failure import QueryFailed
from .mbql import Compiled


class QueryResponse(Response):
    """`prepare` makes the SQL, `execution` runs it, `writer` forms the bytes."""

    def __init__(self, prepare: Callable[[], Compiled], execution: Execution, writer: Writer) -> None:
        super().__init__(status_code=writer.status)
        self._prepare, self._execution, self._writer = prepare, execution, writer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams until the end, or until the client is gone."""
        try:
            async with anyio.create_task_group() as tasks:

                async def watch() -> None:
                    while (await receive())["type"] != "http.disconnect":
                        pass
                    tasks.cancel_scope.cancel()

                tasks.start_soon(watch)
                await self._stream(scope, send)
                tasks.cancel_scope.cancel()
        finally:
            self._execution.stop()

    async def _stream(self, scope: Scope, send: Send) -> None:
        gzip = any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
        headers = {"content-type": self._writer.content_type, "connection": "close", **self._writer.headers}
        if gzip:
            headers["content-encoding"] = "gzip"
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status_code, "headers": raw})
        packer = zlib.compressobj(wbits=31) if gzip else None

        async def write(data: bytes, *, last: bool = False) -> None:
            if packer is not None:
                data = packer.compress(data) + packer.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
            if data or last:
                await send({"type": "http.response.body", "body": data, "more_body": not last})

        await self._rows(write)

    async def _rows(self, write: Callable[..., object]) -> None:
        wait = partial(anyio.to_thread.run_sync, abandon_on_cancel=True)
        try:
            compiled = await run_in_threadpool(self._prepare)
            await wait(self._execution.begin, compiled)
            await write(self._writer.begin(self._execution, compiled))  # type: ignore[misc]
            while rows := await wait(self._execution.batch):
                await write(await run_in_threadpool(self._writer.rows, rows))  # type: ignore[misc]
            await write(await run_in_threadpool(self._writer.finish), last=True)  # type: ignore[misc]
        except QueryFailed as error:
            await write(self._writer.fail(error), last=True)  # type: ignore[misc]
