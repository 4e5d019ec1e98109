"""`mbgate init` on a terminal: it asks, checks each answer at once, and goes on after an interruption."""

from __future__ import annotations

import os
import pty
import select
import stat
import sys
import time
from pathlib import Path

import pytest

from infra.environments.scaffold.stack_file import read_stack_file

ROOT = Path(__file__).resolve().parents[2]
MBGATE = str(Path(sys.executable).parent / "mbgate")
CTRL_C = "\x03"
ALL = [
    ("account-id:", "023e105f4ecef8ad9ca31a8372d0c353\n"),
    ("zone-id:", "372e67954025e0ba6aaa6d586b9e0b59\n"),
    ("hostname:", "bi.acme.org\n"),
    ("identity [oidc]:", "\n"),
    ("issuer:", "https://login.acme.org\n"),
    ("client-id:", "abc\n"),
    ("team-domain:", "acme\n"),
    ("admin-hostname [bi-admin.acme.org]:", "\n"),
    ("runtime [docker]:", "\n"),
    ("brand [mbgate]:", "Acmé: BI\n"),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_bytes((ROOT / "Pulumi.yaml").read_bytes())
    return folder


def drive(root: Path, dialogue: list[tuple[str, str]], *args: str) -> tuple[str, int]:
    """Runs it on a terminal of its own: waits for each prompt, then types; answers the screen and the exit code."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(root)
        state = {"XDG_STATE_HOME": str(root.parent / "state"), "COLUMNS": "80", "NO_COLOR": "1", "TERM": "xterm"}
        os.execve(MBGATE, [MBGATE, "init", "prod", *args], {**os.environ, **state})  # noqa: S606
    screen, seen = "", 0

    def read_until(prompt: str | None) -> None:
        nonlocal screen, seen
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if prompt is not None and prompt in screen[seen:]:
                seen = len(screen)
                return
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    part = os.read(terminal, 65536)
                except OSError:
                    part = b""
                if not part:
                    return
                screen += part.decode(errors="replace").replace("\r", "")
        raise AssertionError(f"no `{prompt}` on the screen:\n{screen}")

    for prompt, typed in dialogue:
        read_until(prompt)
        os.write(terminal, typed.encode())
    read_until(None)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    assert "Traceback" not in screen
    return screen, code


def test_every_question(root: Path) -> None:
    screen, code = drive(root, ALL, "--offline")
    assert code == 0 and "Wrote Pulumi.prod.yaml" in screen
    assert "exactly as the provider spells it" in screen  # what it is for
    assert "as https://login.acme.com/realms/staff" in screen  # an example
    assert read_stack_file(root / "Pulumi.prod.yaml", "prod").settings().brand.name == "Acmé: BI"


def test_a_wrong_answer_is_asked_again_at_once(root: Path) -> None:
    dialogue = [("account-id:", "nope\n"), *ALL[:7], ("admin-hostname [", "bi.acme.org\n"), *ALL[7:]]
    screen, code = drive(root, dialogue, "--offline")
    assert code == 0
    assert "`nope` is not 32 hexadecimal digits" in screen and "must differ from --hostname" in screen


@pytest.mark.slow
def test_an_option_is_not_asked(root: Path) -> None:
    dialogue = [step for step in ALL if not step[0].startswith(("hostname", "brand"))]
    screen, code = drive(root, dialogue, "--offline", "--hostname", "bi.acme.org", "--brand", "X")
    assert code == 0 and "what people open" not in screen


@pytest.mark.slow
def test_an_issuer_that_does_not_answer_can_be_taken_all_the_same(root: Path) -> None:
    dialogue = [*ALL[:4], ("issuer:", "https://127.0.0.1:1\n"), ("[y/N]", "n\n"), ("issuer:", "https://127.0.0.1:2\n")]
    screen, code = drive(root, [*dialogue, ("[y/N]", "y\n"), *ALL[5:]])
    assert code == 0 and "can't be reached" in screen
    assert read_stack_file(root / "Pulumi.prod.yaml", "prod").settings().identity.issuer == "https://127.0.0.1:2"


def test_an_interruption_loses_nothing(root: Path) -> None:
    """What was answered is offered the next time, in brackets; the draft is gone once the file is written."""
    screen, code = drive(root, [*ALL[:3], ("identity", CTRL_C)], "--offline")
    assert code == 130 and "is kept in" in screen
    assert not (root / "Pulumi.prod.yaml").exists()
    (draft,) = (root.parent / "state" / "mbgate" / "drafts").iterdir()
    assert stat.S_IMODE(draft.stat().st_mode) == 0o600
    again = [
        ("account-id [023e105f4ecef8ad9ca31a8372d0c353]:", "\n"),
        ("zone-id [", "\n"),
        ("hostname [bi.acme.org]:", "\n"),
    ]
    screen, code = drive(root, [*again, *ALL[3:]], "--offline")
    assert code == 0, screen
    assert not draft.exists()


@pytest.mark.slow
def test_the_values_of_a_file_are_offered(root: Path) -> None:
    drive(root, ALL, "--offline")
    dialogue = [(f"{prompt.split(' ')[0].rstrip(':')} [", "\n") for prompt, _ in ALL]
    _, code = drive(root, dialogue, "--offline", "--force")
    assert code == 0
    assert read_stack_file(root / "Pulumi.prod.yaml", "prod").settings().brand.name == "Acmé: BI"


def test_the_environment_is_asked_where_policies_have_overlays(root: Path) -> None:
    """A name that isn't there is asked again."""
    (root / "policies" / "environments").mkdir(parents=True)
    (root / "policies" / "environments" / "test.yaml").write_text("version: 1\n")
    dialogue = [*ALL, ("environment [base]:", "tset\n"), ("environment [base]:", "test\n")]
    screen, code = drive(root, dialogue, "--offline")
    assert code == 0 and "`tset` is no environment" in screen
    assert read_stack_file(root / "Pulumi.prod.yaml", "prod").settings().environment == "test"
