"""`/api/setting`: for administrators."""

from __future__ import annotations

from typing import Any

from ..answers import Refused, invalid
from ..endpoints import Access, Call, Endpoint
from ..settings import SETTINGS, Setting, fixed, variable


def _known(name: str) -> str:
    if name not in SETTINGS:
        raise Refused(500, {"message": f"Unknown setting: :{name}", "via": []})
    return name


def listed(call: Call) -> Any:
    """GET /api/setting: neither a value that the environment fixes nor one that is the default is shown"""
    return [_told(name, setting, call.store.setting(name)) for name, setting in sorted(SETTINGS.items())]


def _told(name: str, setting: Setting, value: Any) -> dict[str, Any]:
    by_environment = fixed(name) is not None
    return {
        "key": name,
        "value": None if by_environment or value == setting.default else value,
        "default": f"Using value of env var ${variable(name)}" if by_environment else setting.default,
        "is_env_setting": by_environment,
        "env_name": variable(name),
        "description": None,
    }


def show(call: Call) -> Any:
    """GET /api/setting/{key}: the bare value"""
    name = _known(call.part("key"))
    return call.store.setting(name, SETTINGS[name].default)


def _put(call: Call, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if value is not None and type(value) not in SETTINGS[_known(name)].kinds:
            kinds = " or ".join(kind.__name__ for kind in SETTINGS[name].kinds)
            raise invalid(name, f"value must be {kinds}, or null.")
    with call.store.change():
        for name, value in values.items():
            call.store.set_setting(name, value)


def put_one(call: Call) -> Any:
    """PUT /api/setting/{key}"""
    _put(call, {call.part("key"): call.body.get("value")})


def put_many(call: Call) -> Any:
    """PUT /api/setting"""
    _put(call, call.body)


ENDPOINTS = (
    Endpoint("GET", "/api/setting", listed, Access.ADMINISTRATOR),
    Endpoint("PUT", "/api/setting", put_many, Access.ADMINISTRATOR),
    Endpoint("GET", "/api/setting/{key}", show, Access.ADMINISTRATOR),
    Endpoint("PUT", "/api/setting/{key}", put_one, Access.ADMINISTRATOR),
)
