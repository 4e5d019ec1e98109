"""Bad input: one clear message, a failing exit code, nothing half-changed, and the next run goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.environments.world import port_is_taken

pytestmark = [pytest.mark.demo, pytest.mark.engine]

Demo = Any
ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import dataclasses, json, os, sys
from pathlib import Path
from infra.environments.local import open_engine
from infra.environments.toolchain import obtain_cli
from infra.environments.world import open_world
from infra.errors import MbgateError
engine = open_engine(open_world(Path.cwd()), obtain_cli(lambda _: None).path, lambda _: None)
change = json.loads(os.environ["TEST_CHANGE"])
engine = dataclasses.replace(engine, environment={**engine.environment, **change})
try:
    print(engine.run("up", "--yes", "--skip-preview", "--color", "never"))
except MbgateError as error:
    sys.exit(str(error))
"""


def free_port_block() -> str:
    """Another block than the shared world's."""
    return next(str(p) for p in range(24480, 32000, 10) if not any(port_is_taken(p + i) for i in range(6)))


def deploy(demo: Demo, **change: str) -> subprocess.CompletedProcess[str]:
    """The literal `pulumi up`, with some of its environment changed."""
    environment = {**demo.environment, "TEST_CHANGE": json.dumps(change)}
    return subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.fixture
def config(demo: Demo) -> Iterator[dict[str, Any]]:
    """The stack's configuration, to be broken; written back by `save`, restored at the end."""
    path = demo.folder / "Pulumi.local.yaml"
    before = path.read_text()
    document = yaml.safe_load(before)
    document["save"] = lambda: path.write_text(yaml.safe_dump({k: v for k, v in document.items() if k != "save"}))
    yield document
    path.write_text(before)


def revision(demo: Demo) -> int:
    """Grows with every change at the local cloud."""
    import httpx

    headers = {"Authorization": f"Bearer {(demo.folder / 'api-token').read_text().strip()}"}
    url = demo.status["cloudflare_api"].replace("/client/v4", "/_local/state")
    return int(httpx.get(url, headers=headers, trust_env=False).json()["revision"])


def assert_refused(demo: Demo, *words: str, **change: str) -> None:
    """The deployment fails with these words, without a traceback, and changes nothing."""
    before = revision(demo)
    done = deploy(demo, **change)
    assert done.returncode != 0
    for word in words:
        assert word in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert revision(demo) == before


def test_wrong_policies_are_told_with_line_and_path(demo: Demo, config: dict[str, Any], tmp_path: Path) -> None:
    mine = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", mine, ignore=shutil.ignore_patterns("guardrails"))
    roles = mine / "roles.yaml"
    roles.write_text(roles.read_text().replace("dashboard:view", "dashboard:veiw"))
    config["config"]["mbgate:policies"] = str(mine)
    config["save"]()
    assert_refused(demo, "dashboard:veiw", "roles.yaml:", "dashboard:view", "$.roles.")


def test_missing_and_wrong_settings_are_told_together(demo: Demo, config: dict[str, Any]) -> None:
    del config["config"]["mbgate:metabase"]
    config["config"]["mbgate:gateway"]["hostname"] = "not a host"
    config["save"]()
    assert_refused(demo, "`mbgate:metabase` is missing", "mbgate:gateway.hostname")


def test_a_wrong_token_is_told(demo: Demo) -> None:
    assert_refused(demo, "CLOUDFLARE_API_TOKEN", CLOUDFLARE_API_TOKEN="")


def test_a_wrong_passphrase_is_told(demo: Demo, tmp_path: Path) -> None:
    wrong = tmp_path / "passphrase"
    wrong.write_text("wrong")
    assert_refused(demo, "passphrase", PULUMI_CONFIG_PASSPHRASE_FILE=str(wrong))


def test_an_unknown_issuer_is_told(demo: Demo, config: dict[str, Any]) -> None:
    config["config"]["mbgate:identity"]["issuer"] = "http://127.0.0.1:9"
    config["save"]()
    assert_refused(demo, "http://127.0.0.1:9", "can't be reached")


def test_after_all_that_nothing_has_changed(demo: Demo) -> None:
    done = deploy(demo)
    assert done.returncode == 0, done.stderr
    assert "unchanged" in done.stdout
    assert not any(word in done.stdout for word in (" created", " updated", " replaced"))


def test_attributes_that_a_killed_engine_left_empty_are_no_end(demo: Demo) -> None:
    torn = list((demo.folder / "pulumi").glob("**/stacks/**/*.attrs"))
    assert torn
    for file in torn:
        file.write_text("")
    done = deploy(demo)
    assert done.returncode == 0, done.stderr
    assert "unchanged" in done.stdout


def test_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    """Kills the engine in the middle of the first deployment of another world; the next run finishes it."""
    mbgate = Path(sys.executable).parent / "mbgate"
    environment = {
        **os.environ,
        "MBGATE_STATE": str(tmp_path / "w"),
        "MBGATE_PORT": free_port_block(),
        "COLUMNS": "160",
    }
    try:
        first = subprocess.Popen(
            [mbgate, "local", "up"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert first.stdout is not None
        for line in first.stdout:
            if "MetabaseSetup" in line or "WorkersKvNamespace" in line:
                break
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        time.sleep(1)
        second = subprocess.run([mbgate, "local", "up"], cwd=ROOT, env=environment, capture_output=True, text=True)
        assert second.returncode == 0, second.stdout + second.stderr
        assert "The gateway runs" in second.stdout
    finally:
        done = subprocess.run([mbgate, "local", "down"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "w").exists()
