"""The guardrails in the real engine: the project's own stack keeps them, and a stack that breaks one isn't deployed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.environments.engine import Engine
from infra.environments.guarding import judge_deployed, judge_next
from infra.environments.local import open_engine
from infra.environments.toolchain import obtain_cli
from infra.environments.world import open_world
from infra.errors import DeployError, GuardrailError
from infra.guardrails import as_data, judge

pytestmark = [pytest.mark.demo, pytest.mark.engine]

Demo = Any
ROOT = Path(__file__).resolve().parents[2]
PACK = ("--policy-pack", str(ROOT / "policies" / "guardrails"))
PROGRAM = '''"""The project's own program, with one thing changed on its way to the engine."""
from pathlib import Path
import pulumi
from infra import settings, stack

def change(args):
    kind, name, props = args.type_.split(":")[-1], args.name, dict(args.props)
{change}
    return pulumi.ResourceTransformResult(props=props, opts=args.opts)

pulumi.runtime.register_stack_transform(change)
for key, value in stack.build(settings.read(), Path({root!r})).items():
    pulumi.export(key, value)
'''


@pytest.fixture(scope="session")
def engine(demo: Demo) -> Engine:
    """The engine on the running world's stack."""
    return open_engine(open_world(ROOT, demo.environment), obtain_cli(lambda _: None).path, lambda _: None)


@pytest.fixture
def changed(engine: Engine, tmp_path: Path) -> Callable[..., Engine]:
    """The same stack, as another program would deploy it: `changed(lines of change, **settings)`."""

    def make(change: str = "    pass", **settings: Any) -> Engine:
        project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
        project |= {"main": "program/", "runtime": {"name": "python", "options": {"virtualenv": str(ROOT / ".venv")}}}
        project["plugins"] = {"providers": [{"name": "mbgate", "path": str(ROOT / ".venv" / "bin")}]}
        (tmp_path / "program").mkdir()
        (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(project))
        (tmp_path / "program" / "__main__.py").write_text(PROGRAM.format(change=change, root=str(ROOT)))
        config = yaml.safe_load(engine.config_file.read_text())
        for name, values in settings.items():
            config["config"].setdefault(f"mbgate:{name}", {}).update(values)
        (tmp_path / "Pulumi.local.yaml").write_text(yaml.safe_dump(config))
        return replace(engine, root=tmp_path, config_file=tmp_path / "Pulumi.local.yaml")

    return make


@pytest.fixture
def fresh(engine: Engine, tmp_path: Path) -> Engine:
    """A backend in which nothing of the stack is deployed yet."""
    (tmp_path / "backend").mkdir()
    backend = {"PULUMI_BACKEND_URL": f"file://{tmp_path / 'backend'}"}
    empty = replace(engine, environment={**engine.environment, **backend})
    empty.init()
    return empty


def refused(engine: Engine, *command: str) -> str:
    """What the engine says while it refuses."""
    lines: list[str] = []
    with pytest.raises(DeployError):
        engine.run(*command, *PACK, on_line=lines.append)
    return "\n".join(lines)


def analyzed(engine: Engine, *args: str) -> subprocess.CompletedProcess[str]:
    """`pulumi policy analyze`, which takes no configuration file."""
    command = [str(engine.cli), "policy", "analyze", *PACK, *args, "--non-interactive"]
    return subprocess.run(command, cwd=engine.root, env=engine.environment, capture_output=True, text=True)


def test_the_deployed_stack_keeps_every_guardrail(engine: Engine) -> None:
    assert "mandatory" not in engine.run("preview", "--expect-no-changes", *PACK)
    done = analyzed(engine, "--stack", "local")
    assert done.returncode == 0, done.stdout + done.stderr
    assert as_data(judge_deployed(engine)) == as_data(judge_next(engine)) == []


def test_a_new_stack_keeps_every_guardrail_as_far_as_is_known(demo: Demo, fresh: Engine) -> None:
    said = fresh.run("preview", *PACK)
    findings = judge_next(fresh)
    assert {finding.level for finding in findings} == {"advisory"}
    assert all("can't be judged yet" in finding.message for finding in findings)
    waiting = {finding.guardrail for finding in findings}
    assert waiting == set(re.findall(r"\[advisory\] +(\S+)", said))
    assert "[mandatory]" not in said
    # Whether what doesn't exist yet is a secret, the engine isn't told. In mode `access` the gateway's modules hold the
    # audience of an application that isn't made yet.
    of_modules = {"audience-set", "https-only", "session-length", "sign-in-on-every-route", "unknown-routes-denied"}
    assert waiting == {"no-inline-secret", *(of_modules if demo.identity == "access" else ())}


BAD = {
    "no-workers-dev": (
        '    if kind == "Worker": props["subdomain"] = {"enabled": True, "previewsEnabled": False}',
        "answers at workers.dev",
    ),
    "no-inline-secret": (
        '    if kind == "WorkerVersion" and name == "broker":\n'
        '        props["bindings"] = [*props["bindings"], {"name": "X", "type": "secret_text", "text": "in clear"}]',
        "binding `X` whose text is no Pulumi secret",
    ),
    "origin-behind-access": (
        '    if kind == "ZeroTrustAccessPolicy" and name == "deployment": props["decision"] = "allow"',
        "decides `allow`",
    ),
    "no-published-port": (
        '    if kind == "Container" and name == "metabase":\n'
        '        props["ports"] = [{"internal": 3000, "external": 3000, "ip": "127.0.0.1"}]',
        "publishes a port",
    ),
    "session-length": ("", "absolute_seconds is 604800"),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "session": {"absoluteSeconds": 604800},
    # A preview asks no engine, so none need be there.
    "docker": {"host": "unix:///nowhere/docker.sock"},
    "connector": {"image": "cloudflared:1", "edgeSocket": "/nowhere/edge.sock"},
    "sidecar": {"image": "node:1"},
    "metabase": {"runtime": "docker", "image": "metabase:1", "protectData": False},
}


def test_a_bad_stack_is_refused(demo: Demo, changed: Callable[..., Engine]) -> None:
    """By the preview with the pack, and by the same guardrails from the saved preview without it."""
    bad = changed("\n".join(change for change, _ in BAD.values()), **SETTINGS)
    said = refused(bad, "preview")

    assert set(re.findall(r"\[mandatory\] +(\S+)", said)) == set(BAD)
    found = [finding for finding in judge_next(bad) if finding.level == "mandatory"]
    assert {finding.guardrail for finding in found} == set(BAD)
    for name, (_, words) in BAD.items():
        assert words in said
        assert any(words in finding.message for finding in found if finding.guardrail == name)


def test_what_one_resource_breaks_is_never_made(engine: Engine, changed: Callable[..., Engine]) -> None:
    """Even without a preview, and with the state and the cloud as before."""
    before = engine.run("stack", "export")
    said = refused(changed(BAD["no-workers-dev"][0]), "up", "--yes", "--skip-preview")
    assert "no-workers-dev" in said
    states = [json.loads(text)["deployment"]["resources"] for text in (before, engine.run("stack", "export"))]
    workers = [[r["outputs"]["subdomain"] for r in state if r["type"].endswith(":Worker")] for state in states]
    assert workers[0] == workers[1]
    assert all(subdomain["enabled"] is False for subdomain in workers[1])


def test_a_saved_state_is_judged_alike_by_engine_and_function(engine: Engine, tmp_path: Path) -> None:
    state = json.loads(engine.run("stack", "export"))
    for resource in state["deployment"]["resources"]:
        if resource["type"].endswith(":Worker"):
            resource["inputs"]["subdomain"]["enabled"] = True
        if resource["type"].endswith(":ZeroTrustAccessPolicy"):
            resource["inputs"]["includes"] = [{"everyone": {}}]
    (tmp_path / "state.json").write_text(json.dumps(state))
    done = analyzed(engine, "--file", str(tmp_path / "state.json"), "--json")
    assert done.returncode != 0
    events = [json.loads(line).get("policyEvent") for line in done.stdout.splitlines() if line.startswith("{")]
    by_engine = {(e["policyName"], e["resourceUrn"], e["enforcementLevel"]) for e in events if e}
    by_function = {(f.guardrail, f.resource, f.level) for f in judge(state)}
    assert by_engine == by_function
    assert {"no-workers-dev", "access-names-who", "origin-behind-access"} <= {name for name, _, _ in by_engine}


def test_a_preview_that_leaves_things_out_is_no_evidence(engine: Engine) -> None:
    with pytest.raises(GuardrailError, match="--show-sames"):
        judge(json.loads(engine.run("preview", "--json")))
