"""One `Kind` a resource type: its inputs, outputs and what create, read, update and delete do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import setup
from .client import MetabaseClient
from .secrets import generate

State = dict[str, Any]


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
    return {"id": inputs["keyName"], **setup.set_up(inputs["url"], admin, inputs["keyName"])}


def _setup_read(state: State) -> State | None:
    with MetabaseClient(state["url"], state["apiKey"]) as client:
        client.wait_until_ready(setup.READY_SECONDS)
        version = (client.properties().get("version") or {}).get("tag", "unknown")
        # An administrator's key opens this list and nobody else's does: a revoked key means that the setup is gone.
        keys = client.call("GET", "/api/api-key", ok=(401, 403))
    if keys is None or state["apiKeyId"] not in {key["id"] for key in keys}:
        return None
    return {"version": version}


def _setup_update(old: State, new: State) -> State:
    return {name: old[name] for name in ("apiKey", "apiKeyId", "version")}


def _setup_delete(state: State) -> None:
    setup.revoke_key(state["url"], state["apiKey"], state["apiKeyId"])


def _group_create(inputs: State) -> State:
    group_id = setup.ensure_group(inputs["url"], inputs["apiKey"], inputs["name"])
    return {"id": group_id, "groupId": group_id}


def _group_read(state: State) -> State | None:
    with MetabaseClient(state["url"], state["apiKey"]) as client:
        names = {group_id: name for name, group_id in client.groups().items()}
    name = names.get(state["groupId"])
    return None if name is None else {"name": name}


def _group_update(old: State, new: State) -> State:
    if old["name"] != new["name"]:
        with MetabaseClient(new["url"], new["apiKey"]) as client:
            client.call("PUT", f"/api/permissions/group/{old['groupId']}", json={"name": new["name"]})
    return {"groupId": old["groupId"]}


def _group_delete(state: State) -> None:
    with MetabaseClient(state["url"], state["apiKey"]) as client:
        client.call("DELETE", f"/api/permissions/group/{state['groupId']}", ok=(404,))


def _permissions_apply(inputs: State) -> State:
    applied = setup.apply_permissions(
        inputs["url"], inputs["apiKey"], collections=inputs["collections"], data=inputs["data"]
    )
    return {"id": "permissions", "applied": applied}


def _permissions_read(state: State) -> State | None:
    with MetabaseClient(state["url"], state["apiKey"]) as client:
        now = setup.observe_permissions(client, list(state["applied"]))
    if now == state["applied"]:
        return {}
    # The inputs are names and the graphs are ids: drift is shown as inputs that differ, so that `up` applies them.
    return {"applied": now, "collections": {}, "data": {}}


def _permissions_delete(state: State) -> None:
    empty: dict[str, dict[str, str]] = {group: {} for group in state["collections"]}
    with MetabaseClient(state["url"], state["apiKey"]) as client:
        known = client.groups()
    kept = {group: grants for group, grants in empty.items() if group in known}
    setup.apply_permissions(state["url"], state["apiKey"], collections=kept, data={group: {} for group in kept})


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
        inputs=("url", "adminEmail", "adminPassword", "siteName", "keyName"),
        outputs=("apiKey", "apiKeyId", "version"),
        secret_outputs=frozenset({"apiKey"}),
        replace_on=frozenset({"url", "adminEmail", "keyName"}),
        create=_setup_create,
        update=_setup_update,
        read=_setup_read,
        delete=_setup_delete,
    ),
    "mbgate:index:MetabaseGroup": Kind(
        inputs=("url", "apiKey", "name"),
        outputs=("groupId",),
        replace_on=frozenset({"url"}),
        create=_group_create,
        update=_group_update,
        read=_group_read,
        delete=_group_delete,
    ),
    "mbgate:index:MetabasePermissions": Kind(
        inputs=("url", "apiKey", "collections", "data", "groupIds"),
        outputs=("applied",),
        create=_permissions_apply,
        update=lambda old, new: _permissions_apply(new),
        read=_permissions_read,
        delete=_permissions_delete,
        replace_on=frozenset({"url"}),
    ),
}
