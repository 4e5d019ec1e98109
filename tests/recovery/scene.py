"""A world of its own for the kill tests: engine, local cloud, and what must hold after each recovery."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from infra.environments import local, processes
from infra.environments.choices import Choices
from infra.environments.configuration import write_config
from infra.environments.engine import Engine
from infra.environments.recovery import Recovery, recover
from infra.environments.recovery.cloud import KINDS
from infra.environments.recovery.model import read_state
from infra.environments.recovery.parts import FOUND_BY_NAME, NEEDS_NO_FINDER, name_of, names
from infra.environments.recovery.stack import settings
from infra.environments.world import ACCOUNT_ID, ZONE_ID, World, port_is_taken, write_private
from tests.recovery.proxy import Proxy

ROOT = Path(__file__).resolve().parents[2]
MBGATE = Path(sys.executable).parent / "mbgate"
SEED = int(os.environ.get("MBGATE_SEED") or random.SystemRandom().randrange(1_000_000))
OUTPUT = ("--yes", "--skip-preview", "--color", "never")
OIDC = Choices(identity="oidc", private_path="vpc", runtime="processes")
ACCESS = Choices(identity="access", private_path="hostname", runtime="processes")
# What the cloud lists, by the word that is in the kind's type token.
LISTS = {
    "Worker": ("accounts/{a}/workers/workers", "id"),
    "WorkersKvNamespace": ("accounts/{a}/storage/kv/namespaces", "id"),
    "ZeroTrustTunnelCloudflared": ("accounts/{a}/cfd_tunnel?is_deleted=false", "id"),
    "ConnectivityDirectoryService": ("accounts/{a}/connectivity/directory/services", "service_id"),
    "WorkersCustomDomain": ("accounts/{a}/workers/domains", "id"),
    "ZeroTrustAccessApplication": ("accounts/{a}/access/apps", "id"),
    "ZeroTrustAccessPolicy": ("accounts/{a}/access/policies", "id"),
    "ZeroTrustAccessIdentityProvider": ("accounts/{a}/access/identity_providers", "id"),
    "ZeroTrustAccessServiceToken": ("accounts/{a}/access/service_tokens", "id"),
    "DnsRecord": ("zones/{z}/dns_records", "id"),
}


@dataclass(kw_only=True)
class Scene:
    """One world, its engine, and the counters that show that kills hit something."""

    world: World
    engine: Engine
    proxy: Proxy
    proxy_url: str
    environment: dict[str, str]
    random: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311 - chooses moments
    recoveries: list[Recovery] = field(default_factory=list)

    def configure(self, choices: Choices) -> None:
        """Chooses sign-in and private path; the engine reaches the cloud through the proxy."""
        write_config(self.world, None, choices, None)
        document = yaml.safe_load(self.engine.config_file.read_text())
        document["config"]["mbgate:cloudflare"]["baseUrl"] = self.proxy_url
        write_private(self.engine.config_file, yaml.safe_dump(document, sort_keys=False))

    def up(self, *flags: str) -> str:
        """`pulumi up`, through to its end."""
        return self.engine.run("up", *OUTPUT, *flags)

    def destroy(self) -> None:
        """`pulumi destroy`"""
        self.engine.run("destroy", *OUTPUT)
        self.renew_metabase()

    def renew_metabase(self) -> None:
        """A new, empty Metabase, unless the state has its administrator's password: a destroyed stack forgets it."""
        if any(r["urn"].endswith("::admin-password") for r in self.state()):
            return
        processes.stop(self.world, "metabase")
        shutil.rmtree(self.world.folder / "metabase")
        (self.world.folder / "metabase").mkdir(mode=0o700)
        processes.start(self.world, self.part("metabase"))

    def begin(self, command: str) -> subprocess.Popen[str]:
        """The literal CLI in a session of its own, as `Engine.run` starts it."""
        return subprocess.Popen(
            [
                *(self.engine.cli, command, *OUTPUT, "--non-interactive"),
                *("--stack", self.engine.stack, "--config-file", self.engine.config_file),
            ],
            cwd=self.engine.root,
            env=self.engine.environment,
            stdin=subprocess.DEVNULL,
            stdout=(self.world.folder / "engine.log").open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )

    def revision(self) -> int:
        """The number of changes that the local cloud has made."""
        db = sqlite3.connect(f"file:{self.world.folder / 'cloud.sqlite'}?mode=ro", uri=True, timeout=10)
        try:
            return int(db.execute("SELECT value FROM meta WHERE name = 'revision'").fetchone()[0])
        finally:
            db.close()

    def await_changes(self, process: subprocess.Popen[str], number: int) -> bool:
        """Waits until the cloud has made so many changes more; False where the process ended before."""
        target = self.revision() + number
        while process.poll() is None:
            if self.revision() >= target:
                return True
            time.sleep(0.002)
        return False

    def recover(self, **options: Any) -> Recovery:
        """Recovers by the function, and keeps what it answers."""
        engine = local.open_engine(self.world, self.engine.cli, lambda _: None)
        result = recover(engine, report=lambda _: None, **options)
        self.recoveries.append(result)
        return result

    def part(self, name: str) -> processes.Part:
        """A part of the world."""
        return next(part for part in processes.parts(self.world, with_metabase=True) if part.name == name)

    def kill_cloud(self) -> None:
        """SIGKILLs the local Cloudflare API, which this scene started."""
        pid = processes.running_pid(self.world, "cloudflare-api")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        while processes.running_pid(self.world, "cloudflare-api") is not None:
            time.sleep(0.01)

    def state(self) -> list[dict[str, Any]]:
        """The state's resources."""
        deployment = json.loads(self.engine.run("stack", "export"))["deployment"]
        assert not deployment.get("pending_operations")
        return list(deployment.get("resources") or [])

    def listed(self, kind: str) -> list[str]:
        """The ids of a kind that the cloud lists."""
        path, key = LISTS[kind]
        answer = httpx.get(
            f"{self.world.cloudflare_api}/{path.format(a=ACCOUNT_ID, z=ZONE_ID)}",
            headers={"Authorization": f"Bearer {self.world.token_file.read_text().strip()}"},
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text
        return sorted(item[key] for item in answer.json()["result"])

    def check(self, *, is_whole: bool = True) -> None:
        """State and cloud hold the same objects, each kind has a finder or needs none; `is_whole`: nothing is left to
        do, neither for an up nor for a refresh."""
        resources = self.state()
        for kind in LISTS:
            ids = sorted(r["id"] for r in resources if r["type"].endswith(f":{kind}"))
            assert self.listed(kind) == ids, f"{kind}, seed {SEED}"
        declared = names(self.engine.stack, read_state("{}"), settings(self.engine))
        for resource in resources:
            token = resource["type"]
            known = token in FOUND_BY_NAME or token.startswith(NEEDS_NO_FINDER) or not resource.get("id")
            assert known, f"recovery can't find objects of type {token}"
            if token in KINDS:
                assert (token, name_of(token, resource["inputs"])) in declared, f"recovery does not know {token}'s name"
        if not is_whole:
            return
        second = self.up("--refresh", "--expect-no-changes")
        assert "unchanged" in second, second

    def check_apart(self) -> None:
        """The same, with a second up and a refresh of their own."""
        self.check()
        assert "unchanged" in self.up("--expect-no-changes")
        self.engine.run("refresh", *OUTPUT, "--expect-no-changes")


def kill_session(leader: int) -> None:
    """SIGKILLs every process of a session: the engine puts its plugins into process groups of their own."""
    for _ in range(3):
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and _session(entry) == leader:
                os.kill(int(entry.name), signal.SIGKILL)


def _session(entry: Path) -> int | None:
    try:
        fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[3])


def free_ports(number: int) -> int:
    """The first of so many free ports in a row, apart from those of other tests."""
    return next(b for b in range(24100, 28000, 10) if not any(port_is_taken(b + i) for i in range(number)))
