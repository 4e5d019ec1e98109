"""A resource provider as a plugin process: one readable error per failure, and old inputs where they count.

Pulumi's own `pulumi.provider.experimental.server` leaves the old inputs out of `Diff` and `Update`, and reports an
exception by its class name; both are put right here.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import grpc
import grpc.aio
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import Provider
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

_PARENT_POLL_SECONDS = 1.0

_old_inputs: ContextVar[dict[str, PropertyValue]] = ContextVar("old_inputs")


class PluginError(Exception):
    """A failure that its message explains completely; the engine shows the message and nothing else."""


def old_inputs() -> dict[str, PropertyValue]:
    """The inputs of the last deployment, inside `Provider.diff` and `Provider.update`."""
    return _old_inputs.get()


def _reporting(name: str) -> Callable[..., Any]:
    """The servicer method `name` that answers a failure with its message alone."""
    inherited = getattr(ProviderServicer, name)

    async def method(self: ProviderServicer, request: Any, context: grpc.aio.ServicerContext) -> Any:
        if name in ("Diff", "Update"):
            _old_inputs.set(PropertyValue.unmarshal_map(request.old_inputs))
        try:
            return await inherited(self, request, context)
        except PluginError as error:
            message = str(error)
        except NotImplementedError as error:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
        except Exception as error:
            # A fault of the plugin itself: its traceback goes to the engine's log, the message to the person.
            traceback.print_exc()
            message = f"the plugin failed in {name}: {type(error).__name__}: {error}"
        await context.abort(grpc.StatusCode.UNKNOWN, message)
        return None

    return method


_METHODS = (
    "CheckConfig", "DiffConfig", "Configure", "GetSchema", "Invoke",
    "Check", "Diff", "Create", "Read", "Update", "Delete",
)  # fmt: skip

Servicer = type("Servicer", (ProviderServicer,), {name: _reporting(name) for name in _METHODS})


async def exit_with_parent() -> None:
    """Ends this process when the one that started it has gone: a killed engine leaves no plugin behind."""
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(_PARENT_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def announce(port: int) -> None:
    """Tells the engine the port, as its plugin handshake wants it: the first line on stdout."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def serve(provider: Provider, version: str, arguments: list[str]) -> None:
    """Runs `provider` until the engine ends the process. `arguments` hold the engine's address."""
    engine = next((argument for argument in arguments if not argument.startswith("-")), "")

    async def run() -> None:
        server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
        servicer = Servicer(arguments, version, provider, engine_address=engine)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        announce(port)
        watch = asyncio.create_task(exit_with_parent())
        await server.wait_for_termination()
        watch.cancel()

    asyncio.run(run())
