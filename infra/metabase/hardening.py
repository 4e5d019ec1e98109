"""Metabase's own settings, as they must be behind a gateway: no public links, no embedding, no calls home.

Names and meanings: Metabase's documentation, "Environment variables"; the calls: `GET /api/setting`,
`PUT /api/setting/{key}`. What only an environment variable can set is in `infra/components/private_metabase.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .client import MetabaseClient, MetabaseError

HARDENED: Mapping[str, Any] = {
    "anon-tracking-enabled": False,
    "check-for-updates": False,
    "enable-embedding-interactive": False,
    "enable-embedding-sdk": False,
    "enable-embedding-simple": False,
    "enable-embedding-static": False,
    "enable-public-sharing": False,
    "hide-stacktraces": True,
}


def apply_settings(client: MetabaseClient, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Puts every setting that differs, and answers what Metabase then has.

    A setting that this version of Metabase doesn't know is left out. One that its environment fixes to another value is
    an error, since the API can't change it.
    """
    entries = _entries(client, wanted)
    differing = _differing(observe_settings(client, wanted), wanted)
    fixed = [entries[name]["env_name"] for name in differing if entries[name].get("is_env_setting")]
    if not fixed:
        for name in differing:
            client.call("PUT", f"/api/setting/{name}", json={"value": wanted[name]})
        after = observe_settings(client, wanted)
        differing = _differing(after, wanted)
        if not differing:
            return after
    raise MetabaseError(
        f"Metabase keeps other values than it must have of {', '.join(f'`{name}`' for name in differing)}",
        code="metabase-settings-fixed",
        help=f"unset {', '.join(fixed)} in Metabase's own environment" if fixed else "look at Metabase's log",
    )


def observe_settings(client: MetabaseClient, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The values that Metabase has now, of those settings in `wanted` that it knows.

    The list hides values that come from the environment, and those that are the default; the former are in the
    properties where everybody signed in may read them.
    """
    entries = _entries(client, wanted)
    properties = client.properties()
    found = {}
    for name, entry in sorted(entries.items()):
        if entry.get("is_env_setting"):
            found[name] = properties.get(name)
        else:
            found[name] = entry["default"] if entry.get("value") is None else entry["value"]
    return found


def _entries(client: MetabaseClient, wanted: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["key"]: entry for entry in client.call("GET", "/api/setting") if entry["key"] in wanted}


def _differing(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    return [name for name, value in found.items() if value != wanted[name]]
