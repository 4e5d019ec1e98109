"""What a long operation says while it runs: a status line of the resource in the engine's display."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

Report = Callable[[str], None]


def say_nothing(_: str) -> None:
    """The speaker of an operation that nobody follows."""


_current: ContextVar[Report] = ContextVar("progress", default=say_nothing)


def report(text: str) -> None:
    """Says how far the running operation is; without an engine it is said to nobody."""
    _current.get()(text)


@contextmanager
def reported_by(speaker: Report) -> Iterator[None]:
    """Within the block, `report` speaks through `speaker`; threads started by `asyncio.to_thread` inherit it."""
    token = _current.set(speaker)
    try:
        yield
    finally:
        _current.reset(token)


class EngineLog:
    """The engine's log service (pulumi.proto `Engine.Log`) at the address that it gave the plugin."""

    def __init__(self, address: str) -> None:
        self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))

    def speaker(self, urn: str) -> Report:
        """Reports as informational messages of one resource. A lost message is no fault of the operation."""

        def say(text: str) -> None:
            request = engine_pb2.LogRequest(severity=engine_pb2.INFO, message=text, urn=urn, ephemeral=False)
            try:
                self._stub.Log(request, timeout=5)
            except grpc.RpcError:
                return

        return say
