"""`pulumi-language-python` for machines that lack the official one: a language host around Pulumi's own SDK.

The official host starts an executor process for the program; this one runs it in its own process, which is started
anew for each command of the engine. Protocol: `pulumirpc.LanguageRuntime` in pulumi's `proto/pulumi/language.proto`.
"""

from __future__ import annotations

import importlib.metadata
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

import grpc
from google.protobuf import empty_pb2
from pulumi.automation._server import LanguageServer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from localcloud.plugins.program import Program
from localcloud.plugins.serving import announce

_PARENT_POLL_SECONDS = 1.0
_STOP_GRACE_SECONDS = 5.0


class LanguageHost(LanguageServer):
    """Answers the engine; one program runs at a time, as the SDK keeps its settings in globals."""

    def __init__(self) -> None:
        super().__init__(lambda: None)
        self._children: set[subprocess.Popen[bytes]] = set()
        self._one_program = threading.Lock()

    def Handshake(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def Run(self, request: Any, _context: grpc.ServicerContext) -> Any:
        program = Program(
            directory=Path(request.info.program_directory or request.pwd),
            entry_point=request.info.entry_point or request.program or ".",
            working_directory=Path(request.pwd or request.info.program_directory),
        )
        with self._one_program:
            succeeded = program.run(request)
        # `bail`: the program has logged why it failed, and the engine adds nothing to that.
        return language_pb2.RunResponse(bail=not succeeded)

    def InstallDependencies(self, _request: Any, _context: grpc.ServicerContext) -> Iterator[Any]:
        note = "this language host installs nothing: the project's virtual environment is made by its own tools\n"
        yield language_pb2.InstallDependenciesResponse(stdout=note.encode())

    def RuntimeOptionsPrompts(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        return language_pb2.RuntimeOptionsResponse()

    def GetProgramDependencies(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        found = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
        dependencies = [language_pb2.DependencyInfo(name=name, version=found[name]) for name in sorted(found)]
        return language_pb2.GetProgramDependenciesResponse(dependencies=dependencies)

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        directory = request.info.program_directory or request.program
        if request.kind == "analyzer":
            command = [sys.executable, "-u", "-m", "pulumi.policy", *request.args, directory]
        else:
            command = [sys.executable, "-u", directory, *request.args]
        environment = {**os.environ, **dict(item.split("=", 1) for item in request.env if "=" in item)}
        child = subprocess.Popen(
            command,
            cwd=request.pwd or directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._children.add(child)
        context.add_callback(child.terminate)
        yield from _stream(child)
        self._children.discard(child)
        yield language_pb2.RunPluginResponse(exitcode=child.wait())

    def Cancel(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        self.stop_children()
        return empty_pb2.Empty()

    def stop_children(self) -> None:
        """Ends the plugins that this host runs."""
        for child in list(self._children):
            child.terminate()


def _stream(child: subprocess.Popen[bytes]) -> Iterator[Any]:
    """The child's output in the order it comes, as responses of RunPlugin."""
    chunks: SimpleQueue[tuple[str, bytes] | None] = SimpleQueue()

    def pump(name: str, stream: IO[bytes]) -> None:
        while chunk := stream.read1(65536):  # type: ignore[attr-defined]
            chunks.put((name, chunk))
        chunks.put(None)

    pipes = {"stdout": child.stdout, "stderr": child.stderr}
    for name, stream in pipes.items():
        threading.Thread(target=pump, args=(name, stream), daemon=True).start()
    open_pipes = len(pipes)
    while open_pipes:
        item = chunks.get()
        if item is None:
            open_pipes -= 1
        else:
            name, chunk = item
            streamed = language_pb2.RunPluginResponse()
            setattr(streamed, name, chunk)
            yield streamed


def main(_arguments: list[str]) -> None:
    """Serves until the engine ends the process, or is gone itself."""
    server = grpc.server(ThreadPoolExecutor(max_workers=16), options=_GRPC_CHANNEL_OPTIONS)
    host = LanguageHost()
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    announce(port)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    parent = os.getppid()
    while os.getppid() == parent and not stop.wait(_PARENT_POLL_SECONDS):
        pass
    host.stop_children()
    server.stop(_STOP_GRACE_SECONDS if stop.is_set() else None).wait(_STOP_GRACE_SECONDS)
    sys.stdout.flush()
    sys.stderr.flush()
    # A program that hangs in a thread of its own would hold the process open.
    os._exit(0)
