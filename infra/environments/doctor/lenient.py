"""Settings with faults, made usable: a wrong client id must not keep the token from being looked at."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from infra.environments.scaffold.stack_file import StackFile
from infra.errors import Fault, SettingsError
from infra.settings import NAMESPACE, Settings, parse

# What takes the place of a required value that is missing or wrong; no check that uses it runs.
STAND_INS: dict[str, dict[str, Any]] = {
    "cloudflare": {"accountId": "0" * 32, "zoneId": "0" * 32, "teamUrl": "https://team.invalid"},
    "gateway": {"hostname": "gateway.invalid"},
    "identity": {"issuer": "https://issuer.invalid", "clientId": "invalid"},
    "metabase": {"adminHostname": "admin.invalid"},
    "origin": {"hostname": "origin.invalid"},
}
PREFIX = f"$.config.{NAMESPACE}:"
ROUNDS = 4


def lenient_settings(file: StackFile) -> tuple[Settings | None, frozenset[str]]:
    """Settings in which what can't be used is replaced, and the keys replaced (`section.key`, or a whole `section`).

    None where they can't be made usable.
    """
    values = deepcopy(file.values)
    replaced = {f"{p.section}.{p.key}" for p in file.placeholders()}
    for key in replaced:
        _replace(values, key)
    for _ in range(ROUNDS):
        try:
            return parse(file.stack, values), frozenset(replaced)
        except SettingsError as problem:
            for key in {key for fault in problem.faults for key in _keys(fault)}:
                replaced.add(key)
                _replace(values, key)
    return None, frozenset(replaced)


def _keys(fault: Fault) -> list[str]:
    """The `section.key` that a fault is about; one of the whole is about what several sections share."""
    path = fault.path or ""
    if path.startswith(PREFIX):
        return [".".join(path.removeprefix(PREFIX).split(".")[:2])]
    return ["cloudflare.teamUrl", "gateway.hostname", "origin.hostname", "metabase.adminHostname"]


def _replace(values: dict[str, Any], path: str) -> None:
    section, _, key = path.partition(".")
    found = values.get(section)
    if not key or not isinstance(found, dict):
        # Nothing of such a section can be trusted.
        values[section] = dict(STAND_INS.get(section, {}))
        if not values[section]:
            del values[section]
        return
    found.pop(key, None)
    if key in STAND_INS.get(section, {}):
        found[key] = STAND_INS[section][key]
