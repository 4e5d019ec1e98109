"""A resource provider as a plugin process: one readable error per failure, and old inputs where they count.

Pulumi's own `pulumi.provider.experimental.server` leaves the old inputs out of `Diff` and `Update`, and turns every
exception into a traceback's first line; both are put right here.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import DiffRequest, Provider, UpdateRequest
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

_METHODS = (
    "CheckConfig", "DiffConfig", "Configure", "Invoke", "GetSchema",
    "Check", "Diff", "Create", "Read", "Update", "Delete",
)  # fmt: skip

_PARENT_POLL_SECONDS = 1.0


class PluginError(Exception):
    """A failure that its message explains completely; the engine shows the message and nothing else."""


class DiffInputsRequest(DiffRequest):
    """A diff request that also has the old inputs."""

    old_inputs: dict[str, PropertyValue]


class UpdateInputsRequest(UpdateRequest):
    """An update request that also has the old inputs."""

    old_inputs: dict[str, PropertyValue]


class _Servicer(ProviderServicer):
    async def GetSchema(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        # The engine asks for a schema only to look up functions of components, which these plugins lack.
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "this plugin has no schema")

    async def Diff(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        return await super().Diff(_WithOldInputs(self, request), context)  # type: ignore[no-untyped-call]

    async def Update(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        return await super().Update(_WithOldInputs(self, request), context)  # type: ignore[no-untyped-call]
