"""The language host under the real engine: what a program sees, and what a person sees when it fails."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import language_pb2

from localcloud.plugins.language_host import LanguageHost
from tests.plugins.engine import ROOT, Engine, find_pulumi

Launch = Callable[..., Engine]

SURROUNDINGS = """
import os, sys
from pathlib import Path
import pulumi
from beside import word
here = Path(__file__).parent
config = pulumi.Config()
pulumi.export("word", word)
pulumi.export("first", Path(sys.path[0]) == here)
pulumi.export("checkout", [p for p in sys.path if (Path(p) / "localcloud").is_dir()])
pulumi.export("directory", Path.cwd() == here)
pulumi.export("plain", config.require("plain"))
pulumi.export("hidden", config.require_secret("hidden"))
pulumi.export("names", f"{pulumi.get_project()}/{pulumi.get_stack()}/{pulumi.get_organization()}")
"""


@pytest.mark.engine
def test_a_literal_up_runs_the_program_as_the_official_executor_does(launch: Launch) -> None:
    engine = launch(SURROUNDINGS, {"plain": "text"}, {"hidden": "hush"})
    (engine.program / "infra" / "beside.py").write_text("word = 'found'\n")
    shown = engine.run("up", "--yes", "--skip-preview")
    assert "hush" not in shown
    outputs = engine.outputs()
    # An installed project is on the path anyway; the launcher itself adds nothing.
    found = "import sys; from pathlib import Path; print([p for p in sys.path if (Path(p) / 'localcloud').is_dir()])"
    plain = subprocess.run([sys.executable, "-P", "-c", found], env={}, capture_output=True, text=True, check=True)
    assert str(outputs.pop("checkout")) == plain.stdout.strip()
    assert outputs == {
        "word": "found",
        "first": True,
        "directory": True,
        "plain": "text",
        "hidden": "hush",
        "names": "small/test/organization",
    }


FAILURES = {
    "a user's mistake": (
        "class PolicyError(Exception):\n    is_user_error = True\n\n"
        "raise PolicyError('role `analyst` is mapped twice @ $.roles.analyst')\n",
        ["error: role `analyst` is mapped twice @ $.roles.analyst"],
        ["Traceback", "PolicyError", "an unhandled error"],
    ),
    "a fault of the program": (
        "def settle():\n    return {}['missing']\n\nsettle()\n",
        ["error: the program failed:", "__main__.py", "in settle", "KeyError: 'missing'"],
        ["runpy", "language_host", "an unhandled error"],
    ),
    "a fault in a callback": (
        "import pulumi\n\ndef settle(_):\n    raise ValueError('late')\n\n"
        "pulumi.export('x', pulumi.Output.from_input(1).apply(settle))\n",
        ["error: the program failed:", "ValueError: late"],
        ["an unhandled error"],
    ),
    "an exit": ("import sys\nsys.exit(3)\n", ["error: the program ended itself with exit status `3`"], ["Traceback"]),
    "a run error": (
        "import pulumi\nraise pulumi.RunError('say only this')\n",
        ["error: say only this"],
        ["Traceback", "an unhandled error"],
    ),
}


@pytest.mark.engine
@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_is_one_readable_error(launch: Launch, kind: str) -> None:
    source, said, unsaid = FAILURES[kind]
    done = launch(source).attempt("preview")
    shown = done.stdout + done.stderr
    assert done.returncode != 0
    assert [text for text in said if text not in shown] == [], shown
    assert [text for text in unsaid if text in shown] == [], shown
    assert shown.count(said[-1]) <= 2, "the engine repeats an error in its summary, and nothing else does"


@pytest.mark.engine
def test_a_missing_program_says_where_it_was_looked_for(launch: Launch) -> None:
    engine = launch("")
    (engine.program / "infra" / "__main__.py").unlink()
    done = engine.attempt("preview")
    assert "there is no `__main__.py` in" in done.stdout + done.stderr


@pytest.mark.engine
def test_a_policy_pack_runs_and_can_refuse(launch: Launch) -> None:
    pack = ROOT / "tests" / "plugins" / "pack"
    done = launch("import pulumi\npulumi.export('x', 1)\n").attempt("preview", "--policy-pack", str(pack))
    assert done.returncode != 0
    assert "no stack passes this pack" in done.stdout + done.stderr


class Context:
    """As much of a gRPC context as RunPlugin uses."""

    def add_callback(self, callback: Any) -> None:
        self.callback = callback


def run_plugin(folder: Path, source: str, *arguments: str, kind: str = "tool") -> list[Any]:
    """The responses of RunPlugin for a program of this source."""
    (folder / "__main__.py").write_text(source)
    request = language_pb2.RunPluginRequest(
        pwd=str(folder),
        args=list(arguments),
        env=["GIVEN=value"],
        kind=kind,
        info=language_pb2.ProgramInfo(program_directory=str(folder), root_directory=str(folder), entry_point="."),
    )
    return list(LanguageHost().RunPlugin(request, Context()))


def test_a_plugin_gets_its_arguments_and_environment_and_its_output_is_streamed(tmp_path: Path) -> None:
    source = (
        "import os, sys\nprint(sys.argv[1:], os.environ['GIVEN'], os.getcwd())\nsys.stderr.write('oops')\nsys.exit(7)\n"
    )
    *chunks, last = run_plugin(tmp_path, source, "a", "b c")
    assert b"".join(chunk.stdout for chunk in chunks).decode() == f"['a', 'b c'] value {tmp_path}\n"
    assert b"".join(chunk.stderr for chunk in chunks) == b"oops"
    assert last.exitcode == 7


def test_output_arrives_before_the_plugin_ends(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("import time\nprint(8080, flush=True)\ntime.sleep(60)\n")
    info = language_pb2.ProgramInfo(program_directory=str(tmp_path), root_directory=str(tmp_path), entry_point=".")
    host, context = LanguageHost(), Context()
    responses = host.RunPlugin(language_pb2.RunPluginRequest(pwd=str(tmp_path), kind="tool", info=info), context)
    seen = b""
    while not seen.endswith(b"\n"):
        seen += next(responses).stdout
    assert seen == b"8080\n"
    host.Cancel(None, None)
    assert list(responses)[-1].exitcode != 0


def test_the_dependencies_are_those_of_the_interpreter() -> None:
    found = LanguageHost().GetProgramDependencies(None, None).dependencies
    assert "pulumi" in {dependency.name for dependency in found}


@pytest.mark.engine
def test_a_killed_engine_leaves_no_host_behind(launch: Launch) -> None:
    engine = launch(
        "import os, time\nfrom pathlib import Path\n"
        "Path(os.environ['PULUMI_HOME'], 'host').write_text(str(os.getpid()))\ntime.sleep(60)\n"
    )
    command = [str(find_pulumi()), "--non-interactive", "preview"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = subprocess.Popen(command, cwd=engine.program, env=engine.environment(), **quiet)
    note = engine.folder / "home" / "host"
    assert _becomes_true(lambda: note.is_file() and note.read_text() != "")
    running.kill()
    running.wait()
    assert _becomes_true(lambda: not Path("/proc", note.read_text()).exists())


def _becomes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()
