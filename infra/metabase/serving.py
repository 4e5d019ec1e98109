"""Serves a provider to the engine: an expected failure is its message alone, a killed engine leaves no process.

`pulumi.provider.experimental.server.main` would put the Python class of an exception before its message.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

import grpc
from pulumi.provider.experimental.provider import Provider
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

from infra.errors import MbgateError

PARENT_SECONDS = 1.0
OPERATIONS = ("CheckConfig", "Configure", "GetSchema", "Check", "Diff", "Create", "Read", "Update", "Delete")


def _telling(name: str) -> Callable[..., Any]:
    inherited = getattr(ProviderServicer, name)

    async def method(self: ProviderServicer, request: Any, context: Any) -> Any:
        try:
            return await inherited(self, request, context)
        except MbgateError as error:
            message = str(error)
        except NotImplementedError as error:
            return await context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
        except Exception as error:
            # A fault of our own: its traceback goes to the engine's log, the message to the person.
            traceback.print_exc()
            message = f"mbgate's provider failed in {name}: {type(error).__name__}: {error}"
        return await context.abort(grpc.StatusCode.UNKNOWN, message)

    return method


Servicer = type("Servicer", (ProviderServicer,), {name: _telling(name) for name in OPERATIONS})


async def _end_with_parent() -> None:
    """A killed engine ends none of its plugins, which then would wait for ever."""
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(PARENT_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def serve(provider: Provider, version: str, arguments: list[str]) -> None:
    """Runs the provider until the engine ends it; `arguments` are the engine's, with its address."""
    asyncio.run(_serve(provider, version, arguments))


async def _serve(provider: Provider, version: str, arguments: list[str]) -> None:
    engine = next((argument for argument in arguments if not argument.startswith("-")), "")
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
    servicer = Servicer(arguments, version, provider, engine_address=engine)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    # The engine's handshake: the port is the first line.
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    watch = asyncio.create_task(_end_with_parent())
    await server.wait_for_termination()
    watch.cancel()
