"""Inputs that the official provider takes, but then finds different from what it reads back, or can't apply.

It would replace or update such a container at every deployment, so here they are faults. Each rule was read in
kreuzwerker/terraform-provider-docker v4.5.0, `internal/provider/resource_docker_container*.go`.
"""

from __future__ import annotations

import re
from typing import Any

from localcloud.plugins.docker.resource import Inputs
from localcloud.plugins.values import UNKNOWN

_CAPABILITY = re.compile(r"ALL|CAP_[A-Z_]+")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_NANOSECONDS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6}
_DURATIONS = ("interval", "startInterval", "startPeriod", "timeout")


def faults(inputs: Inputs) -> list[tuple[str, str]]:
    """What is wrong with a container's inputs: (property, reason)."""
    return [*_capabilities(inputs), *_durations(inputs), *_running(inputs), *_resources(inputs), *_uploads(inputs)]


def _capabilities(inputs: Inputs) -> list[tuple[str, str]]:
    """Docker's client sends the long names, and they are read back."""
    reason = "must be `ALL` or a long name as `CAP_CHOWN`: the engine keeps no other form"
    given = inputs.get("capabilities")
    lists = given if isinstance(given, dict) else {}
    return [
        (f"capabilities.{field}[{index}]", reason)
        for field in ("adds", "drops")
        for index, name in enumerate(_items(lists.get(field)))
        if name != UNKNOWN and not _CAPABILITY.fullmatch(name)
    ]


def _durations(inputs: Inputs) -> list[tuple[str, str]]:
    check = inputs.get("healthcheck")
    found = []
    for field in _DURATIONS:
        value = check.get(field, UNKNOWN) if isinstance(check, dict) else UNKNOWN
        if value == UNKNOWN:
            continue
        if not re.fullmatch(f"(?:{_DURATION.pattern})+", value):
            found.append((f"healthcheck.{field}", "must be a duration, as `5s` or `1m30s`"))
        elif value != canonical(nanoseconds(value)):
            found.append(
                (f"healthcheck.{field}", f"must be written `{canonical(nanoseconds(value))}`, as it is read back")
            )
    return found


def _running(inputs: Inputs) -> list[tuple[str, str]]:
    """One that isn't running is read back as `mustRun: false`."""
    if inputs.get("mustRun", True) is not True:
        return []
    reason = "must be false, since the container won't be running after the deployment (`{}`)"
    if inputs.get("start") is False:
        return [("mustRun", reason.format("start: false"))]
    return [("mustRun", reason.format("attach: true"))] if inputs.get("attach") is True else []


def _resources(inputs: Inputs) -> list[tuple[str, str]]:
    found = []
    if inputs.get("memory") and not inputs.get("memorySwap"):
        found.append(("memorySwap", "is required with `memory`: the engine sets one, which is then read back"))
    if inputs.get("networkMode", "bridge") not in ("bridge", "default", UNKNOWN) and inputs.get("networksAdvanced"):
        reason = "leave it out with `networksAdvanced`: aliases on that network would be lost"
        found.append(("networkMode", reason))
    return found


def _uploads(inputs: Inputs) -> list[tuple[str, str]]:
    if inputs.get("uploads") and inputs.get("readOnly") is True:
        return [("uploads", "can't be used with `readOnly`: the engine refuses them, even into volumes")]
    return []


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def nanoseconds(duration: str) -> int:
    """`1m30s` in nanoseconds."""
    return sum(round(float(amount) * _NANOSECONDS[unit]) for amount, unit in _DURATION.findall(duration))


def canonical(amount: int) -> str:
    """Nanoseconds as Go writes a duration: `0s`, `500ms`, `1m0s`, `1h0m0s`."""
    if amount < _NANOSECONDS["s"]:
        return f"{amount / _NANOSECONDS['ms']:g}ms" if amount else "0s"
    minutes, rest = divmod(amount, _NANOSECONDS["m"])
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / _NANOSECONDS['s']:.9f}".rstrip("0").rstrip(".") + "s"
    return f"{hours}h{minutes}m{seconds}" if hours else f"{minutes}m{seconds}" if minutes else seconds
