"""One `Kind` a resource type: its inputs, outputs and what create, read, update and delete do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import hardening, progress, setup
from .client import KEY_REFUSED, UNREACHABLE, MetabaseClient, MetabaseError
from .connection import Connection
from .secrets import generate

State = dict[str, Any]
READY_SECONDS = 600.0
OBSERVE_SECONDS = 10.0
DELETE_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What the provider needs to know of one resource type; values are plain, secrecy is added outside."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    create: Callable[[State], State]
    update: Callable[[State, State], State]
    read: Callable[[State], State | None]
    delete: Callable[[State], None]
    secret_outputs: frozenset[str] = frozenset()
    replace_on: frozenset[str] = frozenset()


@contextmanager
def _ready(values: State, seconds: float | None = None) -> Iterator[MetabaseClient]:
    """A client of the resource's Metabase, once that answers: it may have been started a moment ago."""
    with MetabaseClient(Connection.from_plain(values["connection"]), values.get("apiKey")) as client:
        client.wait_until_ready(READY_SECONDS if seconds is None else seconds)
        yield client


Read = Callable[[State], State | None]


def _observed(read: Callable[[MetabaseClient, State], State | None]) -> Read:
    """A `read` that looks into Metabase.

    Where Metabase refuses the deployment's key, what the key managed counts as gone, and is made anew after the set-up.
    Where it does not answer, what is known stays, so that a refresh can find out which part of the way is missing.
    """

    def observe(state: State) -> State | None:
        try:
            with _ready(state, seconds=OBSERVE_SECONDS) as client:
                return read(client, state)
        except MetabaseError as error:
            if error.code == KEY_REFUSED:
                return None
            if error.code in UNREACHABLE:
                progress.report(f"left as it is known, since Metabase can't be asked: {error.message}")
                return {}
            raise

    return observe


def _undone(delete: Callable[[MetabaseClient, State], None]) -> Callable[[State], None]:
    """A `delete` in Metabase. Where that refuses the deployment's key, it is another Metabase than the one that was
    changed, or the key was revoked: nothing is left to undo with it. Where it does not answer, a stack must still be
    able to go: what it would have undone is said, and left."""

    def undo(state: State) -> None:
        try:
            with _ready(state, seconds=DELETE_SECONDS) as client:
                delete(client, state)
        except MetabaseError as error:
            if error.code in UNREACHABLE:
                progress.report(f"left as it is in Metabase, which can't be asked: {error.message}")
            elif error.code != KEY_REFUSED:
                raise

    return undo


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _key_create(inputs: State) -> State:
    return {"id": inputs["name"], "current": generate(inputs["kind"]), "previous": "", "rotatedAt": _now()}


def _key_update(old: State, new: State) -> State:
    if old["trigger"] == new["trigger"]:
        return {name: old[name] for name in ("current", "previous", "rotatedAt")}
    return {"current": generate(new["kind"]), "previous": old["current"], "rotatedAt": _now()}


def _setup_create(inputs: State) -> State:
    admin = setup.Administrator(
        email=inputs["adminEmail"], password=inputs["adminPassword"], site_name=inputs["siteName"]
    )
    with _ready(inputs) as client:
        return {"id": inputs["keyName"], **setup.set_up(client, admin, inputs["keyName"])}


def _setup_read(client: MetabaseClient, state: State) -> State | None:
    version = (client.properties().get("version") or {}).get("tag", "unknown")
    # An administrator's key opens this list and nobody else's does: a revoked key means that the set-up is gone.
    keys = client.call("GET", "/api/api-key", ok=(403,))
    if keys is None or state["apiKeyId"] not in {key["id"] for key in keys}:
        return None
    return {"version": version}


def _setup_update(old: State, new: State) -> State:
    """Metabase is asked whatever changed: a proof that it does not accept must end a deployment before the Workers sign
    with the new key. One that lost its data is set up anew."""
    with _ready({**new, "apiKey": old["apiKey"]}) as client:
        known = _setup_read_or_gone(client, old)
        if known is not None and old["adminEmail"] != new["adminEmail"]:
            setup.rename_administrator(client, old["adminEmail"], new["adminEmail"])
    if known is None:
        created = _setup_create(new)
        return {name: created[name] for name in ("apiKey", "apiKeyId", "version")}
    return {"apiKey": old["apiKey"], "apiKeyId": old["apiKeyId"], "version": known["version"]}


def _setup_read_or_gone(client: MetabaseClient, state: State) -> State | None:
    try:
        return _setup_read(client, state)
    except MetabaseError as error:
        if error.code == KEY_REFUSED:
            return None
        raise


def _setup_delete(client: MetabaseClient, state: State) -> None:
    setup.revoke_key(client, state["apiKeyId"])


def _group_create(inputs: State) -> State:
    with _ready(inputs) as client:
        group_id = setup.ensure_group(client, inputs["name"])
    return {"id": group_id, "groupId": group_id}


def _group_read(client: MetabaseClient, state: State) -> State | None:
    name = {group_id: name for name, group_id in client.groups().items()}.get(state["groupId"])
    return None if name is None else {"name": name}


def _group_update(old: State, new: State) -> State:
    with _ready(new) as client:
        names = {group_id: name for name, group_id in client.groups().items()}
        if names.get(old["groupId"]) not in (old["name"], new["name"]):
            return {"groupId": setup.ensure_group(client, new["name"])}
        if names[old["groupId"]] != new["name"]:
            client.call("PUT", f"/api/permissions/group/{old['groupId']}", json={"name": new["name"]})
    return {"groupId": old["groupId"]}


def _group_delete(client: MetabaseClient, state: State) -> None:
    client.call("DELETE", f"/api/permissions/group/{state['groupId']}", ok=(404,))


def _permissions_apply(inputs: State) -> State:
    with _ready(inputs) as client:
        applied = setup.apply_permissions(client, collections=inputs["collections"], data=inputs["data"])
    return {"id": "permissions", "applied": applied}


def _permissions_read(client: MetabaseClient, state: State) -> State | None:
    now = setup.observe_permissions(client, list(state["applied"]))
    if now == state["applied"]:
        return {}
    # The inputs are names and the graphs are ids: drift is shown as inputs that differ, so that `up` applies them.
    return {"applied": now, "collections": {}, "data": {}}


def _permissions_delete(client: MetabaseClient, state: State) -> None:
    known = client.groups()
    kept: dict[str, dict[str, str]] = {group: {} for group in state["collections"] if group in known}
    setup.apply_permissions(client, collections=kept, data={group: {} for group in kept})


def _settings_apply(inputs: State) -> State:
    with _ready(inputs) as client:
        return {"id": "settings", "applied": hardening.apply_settings(client, inputs["values"])}


def _settings_read(client: MetabaseClient, state: State) -> State | None:
    now = hardening.observe_settings(client, state["values"])
    # Drift is shown as inputs that differ, so that `up` applies them again.
    return {"applied": now, "values": {**state["values"], **now}}


KINDS: dict[str, Kind] = {
    "mbgate:index:GeneratedKey": Kind(
        inputs=("name", "kind", "trigger"),
        outputs=("current", "previous", "rotatedAt"),
        secret_outputs=frozenset({"current", "previous"}),
        replace_on=frozenset({"kind", "name"}),
        create=_key_create,
        update=_key_update,
        read=lambda state: {},
        delete=lambda state: None,
    ),
    "mbgate:index:MetabaseSetup": Kind(
        inputs=("instance", "revision", "connection", "adminEmail", "adminPassword", "siteName", "keyName"),
        outputs=("apiKey", "apiKeyId", "version"),
        secret_outputs=frozenset({"apiKey"}),
        replace_on=frozenset({"instance", "keyName"}),
        create=_setup_create,
        update=_setup_update,
        read=_observed(_setup_read),
        delete=_undone(_setup_delete),
    ),
    "mbgate:index:MetabaseGroup": Kind(
        inputs=("instance", "revision", "connection", "apiKey", "name"),
        outputs=("groupId",),
        replace_on=frozenset({"instance"}),
        create=_group_create,
        update=_group_update,
        read=_observed(_group_read),
        delete=_undone(_group_delete),
    ),
    "mbgate:index:MetabasePermissions": Kind(
        inputs=("instance", "revision", "connection", "apiKey", "collections", "data", "groupIds"),
        outputs=("applied",),
        create=_permissions_apply,
        update=lambda old, new: _permissions_apply(new),
        read=_observed(_permissions_read),
        delete=_undone(_permissions_delete),
        replace_on=frozenset({"instance"}),
    ),
    "mbgate:index:MetabaseSettings": Kind(
        inputs=("instance", "revision", "connection", "apiKey", "values"),
        outputs=("applied",),
        create=_settings_apply,
        update=lambda old, new: _settings_apply(new),
        read=_observed(_settings_read),
        # What was made safe stays so; nobody would want public links back because a stack went.
        delete=lambda state: None,
        replace_on=frozenset({"instance"}),
    ),
}
