"""An engine that answers from memory, and makers of states, histories and objects."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from infra.environments.recovery import parts
from infra.environments.recovery.model import Found, State, Update, read_state

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def minute(number: float) -> datetime:
    """So many minutes after the beginning of the story."""
    return START + timedelta(minutes=number)


def stamp(moment: datetime) -> str:
    """As the engine writes times."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def resource(token: str, name: str, object_id: str, made: float = 0) -> dict[str, Any]:
    """A resource of the state."""
    return {
        "urn": f"urn:pulumi:dev::mbgate::{token}::{name}-{object_id}",
        "type": token,
        "id": object_id,
        "inputs": {parts.FOUND_BY_NAME.get(token, "name"): name},
        "created": stamp(minute(made)),
    }


def pending(token: str, name: str, operation: str = "creating", object_id: str | None = None) -> dict[str, Any]:
    """A pending operation of the state."""
    body = {
        "urn": f"urn:pulumi:dev::mbgate::{token}::{name}",
        "type": token,
        "inputs": {parts.FOUND_BY_NAME.get(token, "name"): name},
    }
    return {"type": operation, "resource": {**body, "id": object_id} if object_id else body}


def document(resources: list[dict[str, Any]], operations: list[dict[str, Any]]) -> str:
    """What `pulumi stack export` answers."""
    deployment = {"manifest": {}, "resources": resources, "pending_operations": operations}
    return json.dumps({"version": 3, "deployment": deployment})


def state(*resources: dict[str, Any], begun: tuple[dict[str, Any], ...] = ()) -> State:
    """A state with pending operations."""
    return read_state(document(list(resources), list(begun)))


def update(start: float, end: float, *, succeeded: bool = True) -> Update:
    """An entry of the history, in minutes."""
    return Update(start=minute(start), end=minute(end), succeeded=succeeded)


def found(token: str, name: str, object_id: str, made: float | None, *, is_empty: bool | None = None) -> Found:
    """An object outside."""
    created = None if made is None else minute(made)
    return Found(token=token, label="thing", name=name, id=object_id, created=created, is_empty=is_empty)


@dataclass
class FakeEngine:
    """The commands that recovery runs, on a project and a backend of files in `root`."""

    root: Path
    resources: list[dict[str, Any]] = field(default_factory=list)
    operations: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    stack: str = "dev"
    cli: Path = Path("pulumi")

    def __post_init__(self) -> None:
        (self.root / "Pulumi.yaml").write_text("name: mbgate\nruntime: python\n")
        (self.root / "world").mkdir(exist_ok=True)
        (self.backend / "stacks" / "mbgate").mkdir(parents=True)
        self.checkpoint.write_text('{"version": 3, "checkpoint": {"latest": {}}}')
        self.config_file = self.root / "world" / "Pulumi.dev.yaml"
        self.environment = {"PULUMI_BACKEND_URL": f"file://{self.root}", "CLOUDFLARE_API_TOKEN": "t" * 40}

    @property
    def backend(self) -> Path:
        return self.root / ".pulumi"

    @property
    def checkpoint(self) -> Path:
        return self.backend / "stacks" / "mbgate" / "dev.json"

    @property
    def locks(self) -> Path:
        folder = self.backend / "locks" / "organization" / "mbgate" / "dev"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def run(self, *args: str, stdin: str | None = None) -> str:
        self.ran.append(" ".join(args[:2]))
        if args[:2] == ("stack", "export"):
            return document(self.resources, self.operations)
        if args[:2] == ("stack", "history"):
            return json.dumps(self.history)
        if args[0] == "config":
            return json.dumps({f"mbgate:{k}": {"objectValue": v} for k, v in self.config.items()})
        if args[:2] == ("stack", "import"):
            self.operations = json.loads(stdin or "{}")["deployment"].get("pending_operations", [])
        return ""
