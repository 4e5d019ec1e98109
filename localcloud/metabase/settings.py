"""The settings that the stand-in has, under Metabase's names; an unknown one is an error."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

PUBLIC, AUTHENTICATED, ADMINISTRATOR = 0, 1, 2


@dataclass(frozen=True)
class Setting:
    """Its value before anybody sets it, the types that it takes, and who may read it."""

    default: Any
    kinds: tuple[type, ...]
    visibility: int = AUTHENTICATED


SETTINGS = {
    "site-name": Setting("Metabase", (str,), PUBLIC),
    "site-url": Setting(None, (str,), PUBLIC),
    "site-locale": Setting("en", (str,), PUBLIC),
    "application-name": Setting("Metabase", (str,), PUBLIC),
    "landing-page": Setting("", (str,), PUBLIC),
    "enable-password-login": Setting(True, (bool,), PUBLIC),
    "google-auth-enabled": Setting(False, (bool,), PUBLIC),
    "ldap-enabled": Setting(False, (bool,), PUBLIC),
    "session-cookies": Setting(None, (bool,), PUBLIC),
    "anon-tracking-enabled": Setting(True, (bool,), PUBLIC),
    "enable-embedding-interactive": Setting(False, (bool,), PUBLIC),
    "enable-embedding-sdk": Setting(False, (bool,), PUBLIC),
    "enable-embedding-simple": Setting(False, (bool,), PUBLIC),
    "enable-embedding-static": Setting(False, (bool,), PUBLIC),
    "enable-public-sharing": Setting(True, (bool,)),
    "enable-xrays": Setting(True, (bool,)),
    "custom-homepage": Setting(False, (bool,)),
    "custom-homepage-dashboard": Setting(None, (int,)),
    "report-timezone": Setting("UTC", (str,)),
    "start-of-week": Setting("sunday", (str,)),
    "check-for-updates": Setting(True, (bool,), ADMINISTRATOR),
    "hide-stacktraces": Setting(False, (bool,), ADMINISTRATOR),
    "admin-email": Setting(None, (str,), ADMINISTRATOR),
}


def variable(name: str) -> str:
    """The environment variable that fixes a setting."""
    return "MB_" + name.upper().replace("-", "_")


def fixed(name: str) -> Any:
    """The value that the environment fixes a setting to, or None; it always takes precedence."""
    text = os.environ.get(variable(name))
    if text is None:
        return None
    return {"true": True, "false": False}.get(text, text) if bool in SETTINGS[name].kinds else text


def readable(visibility: int) -> dict[str, Setting]:
    """The settings up to a visibility."""
    return {name: setting for name, setting in SETTINGS.items() if setting.visibility <= visibility}
