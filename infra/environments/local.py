"""The local world from nothing to a gateway that answers, and back: what `mbgate local` does."""

from __future__ import annotations

import shutil
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import yaml

from infra.errors import LocalCloudError

from . import containers, processes
from .choices import Choices, keep_choices, last_choices, with_runtime
from .configuration import write_config
from .connecting import connector_alongside
from .engine import Engine, stack_environment
from .plugins import stand_in_path
from .recovery import recover, repair_files
from .toolchain import Report, obtain_cli
from .world import ACCOUNT_ID, STACK, ZONE_ID, World, prepare

SECRET = "mbgate:oidcClientSecret"  # noqa: S105 - the name of a setting, not its value
PART_NAMES = ("connector", "edge", "metabase", "oidc-provider", "cloudflare-api")
GATEWAY_SECONDS = 30.0


def up(world: World, report: Report, choices: Choices) -> dict[str, Any]:
    """Starts every part, runs `pulumi up` and waits for the gateway; safe to run again, and after a failure.

    Answers `changes`: the engine's summary line.
    """
    cli = obtain_cli(report)
    report(f"Pulumi CLI {cli.version} from {cli.source}")
    prepare(world)
    choices = with_runtime(choices, report)
    images = None
    if choices.docker_host is not None:
        images = containers.obtain_images(world, choices.docker_host, report, stand_in=choices.metabase == "stand-in")
        choices = replace(choices, metabase="stand-in" if images.is_stand_in else "image")
    start_parts(world, choices, report)
    keep_choices(world, choices)
    engine = open_engine(world, cli.path, report)
    write_config(world, new_salt(world, engine), choices, images)
    if SECRET not in engine.config_keys():
        engine.set_secret(SECRET, (world.folder / "client-secret").read_text())
    # The local cloud is this world's own, so what is lost in it can be nobody else's.
    recover(engine, report=report, assume_yes=True)
    report("pulumi up")
    with alongside(world, choices, report):
        text = engine.run("up", "--yes", "--skip-preview", "--color", "never", on_line=report)
    wait_for_gateway(world)
    return {"changes": summary(text)}


def start_parts(world: World, choices: Choices, report: Report) -> None:
    """Starts what must run before the engine; what runs is left alone, but for what a container takes the place of."""
    if choices.docker_host is not None:
        for name in ("connector", processes.METABASE):
            processes.stop(world, name)
    for part in processes.parts(world, with_metabase=choices.docker_host is None):
        started = processes.start(world, part)
        report(f"{part.name}: {'started' if started else 'running'}")


def alongside(world: World, choices: Choices, report: Report) -> AbstractContextManager[None]:
    """What must happen while the engine works: nothing where the connector is one of the stack's containers."""
    return connector_alongside(world, report) if choices.docker_host is None else nullcontext()


def down(world: World, report: Report) -> None:
    """Runs `pulumi destroy` where there is a stack, then ends every part and forgets the world."""
    if not world.folder.exists():
        return
    if (world.folder / "pulumi" / ".pulumi").exists():
        _destroy(world, report)
    stop(world, report)
    shutil.rmtree(world.folder)


def _destroy(world: World, report: Report) -> None:
    choices = last_choices(world)
    if choices.docker_host is not None:
        choices = with_runtime(choices, report)
    start_parts(world, choices, report)
    engine = open_engine(world, obtain_cli(report).path, report)
    if not engine.stack_exists():
        return
    recover(engine, report=report, assume_yes=True)
    report("pulumi destroy")
    with alongside(world, choices, report):
        engine.run("destroy", "--yes", "--skip-preview", "--color", "never", on_line=report)
    leftovers = remaining(world)
    if leftovers:
        raise LocalCloudError(
            f"after `pulumi destroy` the local API still lists {', '.join(leftovers)}",
            code="leftovers",
        )
    engine.remove()


def stop(world: World, report: Report) -> None:
    """Ends every part; the state stays."""
    for name in PART_NAMES:
        if processes.stop(world, name):
            report(f"{name}: stopped")


def open_engine(world: World, cli: Path, report: Report) -> Engine:
    """The engine on stack `local`, with stand-ins for the plugins that this machine lacks."""
    extra = stand_in_path(world, report)
    environment = stack_environment(
        backend=world.folder / "pulumi",
        passphrase_file=world.folder / "passphrase",
        token_file=world.token_file,
        extra_path=extra,
    )
    engine = Engine(
        cli=cli,
        root=world.root,
        stack=STACK,
        config_file=world.folder / f"Pulumi.{STACK}.yaml",
        environment=environment,
    )
    # Before the first command, which would end on a file that a killed engine tore.
    repair_files(engine, report)
    return engine


def new_salt(world: World, engine: Engine) -> str | None:
    """Makes the stack where there is none and answers its salt; None where the copy of the configuration has it.

    A stack whose salt was lost, since a run ended right after making it, can hold nothing yet: it is made anew.
    """
    copy = world.folder / f"Pulumi.{STACK}.yaml"
    has_salt = copy.exists() and "encryptionsalt" in (yaml.safe_load(copy.read_text()) or {})
    if engine.stack_exists():
        if has_salt:
            return None
        engine.remove()
    return engine.init()


def wait_for_gateway(world: World) -> None:
    """Waits until the gateway itself answers, that is until the edge runs the version just deployed."""
    deadline = time.monotonic() + GATEWAY_SECONDS
    while True:
        try:
            # With Access in front, its redirect to sign-in is the sign that the application is in place.
            answer = httpx.get(f"{world.gateway_url}/_gateway/jwks.json", trust_env=False, timeout=5)
            if answer.status_code in (200, 302):
                return
        except httpx.HTTPError:
            pass
        if time.monotonic() > deadline:
            raise LocalCloudError(
                f"the gateway at `{world.gateway_url}` does not answer",
                code="gateway-silent",
                help=f"look at `{world.logs}`",
            )
        time.sleep(0.2)


def summary(text: str) -> str:
    """The engine's own words on what changed, such as `33 unchanged`."""
    lines = [line.strip() for line in text.splitlines()]
    if "Resources:" not in lines:
        return "nothing reported"
    after = lines[lines.index("Resources:") + 1 :]
    found = [line for line in after[: after.index("") if "" in after else 6] if line and "Duration" not in line]
    return ", ".join(found)


LISTS = {
    "Worker": "accounts/{a}/workers/workers",
    "KV namespace": "accounts/{a}/storage/kv/namespaces",
    "Tunnel": "accounts/{a}/cfd_tunnel?is_deleted=false",
    "VPC service": "accounts/{a}/connectivity/directory/services",
    "custom domain": "accounts/{a}/workers/domains",
    "Access application": "accounts/{a}/access/apps",
    "Access policy": "accounts/{a}/access/policies",
    "identity provider": "accounts/{a}/access/identity_providers",
    "service token": "accounts/{a}/access/service_tokens",
    "DNS record": "zones/{z}/dns_records",
}


def remaining(world: World) -> list[str]:
    """The kinds of object that the local API still lists."""
    headers = {"Authorization": f"Bearer {world.token_file.read_text().strip()}"}
    found = []
    for kind, path in LISTS.items():
        url = f"{world.cloudflare_api}/{path.format(a=ACCOUNT_ID, z=ZONE_ID)}"
        answer = httpx.get(url, headers=headers, trust_env=False)
        if answer.status_code != 200 or answer.json()["result"]:
            found.append(kind)
    return found


def status(world: World) -> dict[str, Any]:
    """What runs, where, and who can sign in."""
    host = last_choices(world).docker_host
    contained = containers.states(world, host) if host else {}
    in_containers = {name: {"state": state, "pid": None} for name, state in contained.items()}
    names = [name for name in PART_NAMES if name not in in_containers]
    return {
        "gateway_url": world.gateway_url,
        "issuer": world.issuer,
        "accounts": [{k: a[k] for k in ("email", "password", "role")} for a in world.accounts()],
        "cloudflare_api": world.cloudflare_api,
        "origin": world.origin if host is None else None,
        "docker_host": host,
        "docker_scope": world.scope if host else None,
        "log_dir": str(world.logs),
        "state_dir": str(world.folder),
        "parts": {**{name: _state(world, name) for name in reversed(names)}, **in_containers},
    }


def _state(world: World, name: str) -> dict[str, Any]:
    pid = processes.running_pid(world, name) if world.folder.exists() else None
    return {"state": "running" if pid else "stopped", "pid": pid}
