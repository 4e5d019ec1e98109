"""Workers that decide, in the pinned workerd, and the processor time that they take."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from infra.access.decide import Table
from infra.access.table import canonical_json
from infra.render.bundle import bundle_code
from tests.bench.mix import Group

ROOT = Path(__file__).parents[2]
DATE = "2026-11-01"
START_SECONDS = 60


class Deciders:
    """A Worker for each table in an isolate of its own: neither's code is compiled for the other's data."""

    def __init__(self, process: subprocess.Popen[bytes], ports: Mapping[str, int]) -> None:
        self._process = process
        self._connections = {name: HTTPConnection("127.0.0.1", port, timeout=120) for name, port in ports.items()}

    def ask(self, name: str, path: str) -> Any:
        """The answer of one Worker."""
        connection = self._connections[name]
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the Worker `{name}` answers {answer.status}: {body[:300]!r}")
        return json.loads(body)

    def decisions(self, name: str, group: str) -> Any:
        """What the Worker decides on each case of a group."""
        return self.ask(name, f"/decisions?group={group}")

    def seconds(self, name: str, path: str) -> float:
        """Processor time that workerd takes for one request, all its threads together."""
        before = self._processor_seconds()
        self.ask(name, path)
        return self._processor_seconds() - before

    def _processor_seconds(self) -> float:
        """By the scheduler's count of each thread, in nanoseconds (`/proc/PID/task/TID/schedstat`, proc(5))."""
        total = 0
        for thread in Path(f"/proc/{self._process.pid}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                total += int((thread / "schedstat").read_text("ascii").split()[0])
        return total / 1e9


@contextmanager
def deciders(tables: Mapping[str, Table], groups: Mapping[str, Group]) -> Iterator[Deciders]:
    """Starts workerd with a Worker for each table; ends it afterwards."""
    with tempfile.TemporaryDirectory(prefix="mbgate-bench-") as made:
        folder = Path(made)
        _write(folder, tables, groups)
        listeners = {name: socket.create_server(("127.0.0.1", 0)) for name in tables}
        ports = {name: one.getsockname()[1] for name, one in listeners.items()}
        command = [str(_program()), "serve", str(folder / "config.capnp")]
        for name, one in listeners.items():
            command += ["--socket-fd", f"{name}={one.fileno()}"]
        if shutil.which("setpriv"):
            command[:0] = ["setpriv", "--pdeathsig", "KILL"]
        process = subprocess.Popen(
            command, pass_fds=[one.fileno() for one in listeners.values()], env={"PATH": os.environ["PATH"]}
        )
        for one in listeners.values():
            one.close()
        try:
            found = Deciders(process, ports)
            _wait(process, found, tables)
            yield found
        finally:
            process.terminate()
            process.wait(10)


def _program() -> Path:
    found = sorted((ROOT / "node_modules" / "@cloudflare").glob("workerd-*/bin/workerd"))
    if not found:
        raise RuntimeError("workerd is missing: run `make setup`")
    return found[0]


def _write(folder: Path, tables: Mapping[str, Table], groups: Mapping[str, Group]) -> None:
    for module in ("authorize.js", "compile.js"):
        (folder / module).write_text(bundle_code(ROOT, f"gateway/{module}"), "utf-8")
    (folder / "worker.js").write_bytes((Path(__file__).parent / "worker.mjs").read_bytes())
    services, sockets = [], []
    for name, table in tables.items():
        (folder / f"{name}-table.json").write_text(canonical_json(table), "utf-8")
        cases = {
            group: [{key: case[key] for key in ("principal", "request")} for case in cases]
            for group, cases in groups[name].items()
        }
        (folder / f"{name}-cases.json").write_text(json.dumps(cases), "utf-8")
        modules = (
            '(name = "worker.js", esModule = embed "worker.js"), '
            '(name = "authorize.js", esModule = embed "authorize.js"), '
            '(name = "compile.js", esModule = embed "compile.js"), '
            f'(name = "cases.json", text = embed "{name}-cases.json"), '
            f'(name = "table.json", text = embed "{name}-table.json")'
        )
        services.append(f'(name = "{name}", worker = (modules = [{modules}], compatibilityDate = "{DATE}"))')
        sockets.append(f'(name = "{name}", http = (), service = "{name}")')
    (folder / "config.capnp").write_text(
        'using Workerd = import "/workerd/workerd.capnp";\nconst config :Workerd.Config = (\n'
        f"  services = [{', '.join(services)}],\n  sockets = [{', '.join(sockets)}],\n);\n"
    )


def _wait(process: subprocess.Popen[bytes], found: Deciders, names: Mapping[str, Table]) -> None:
    deadline = time.monotonic() + START_SECONDS
    for name in names:
        while True:
            try:
                found.ask(name, "/compile?count=0")
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("workerd doesn't start; its message stands above") from None
                time.sleep(0.05)
