"""Health and what Metabase tells anybody about itself."""

from __future__ import annotations

from typing import Any

from ..endpoints import Access, Call, Endpoint
from ..instance import VERSION
from ..passwords import COMPLEXITY
from ..settings import AUTHENTICATED, PUBLIC, fixed, readable

TOKEN_FEATURES = (
    "advanced_permissions",
    "audit_app",
    "cache_granular_controls",
    "config_text_file",
    "content_translation",
    "content_verification",
    "dashboard_subscription_filters",
    "disable_password_login",
    "email_allow_list",
    "email_restrict_recipients",
    "embedding",
    "embedding_sdk",
    "hosting",
    "official_collections",
    "query_reference_validation",
    "sandboxes",
    "scim",
    "serialization",
    "session_timeout_config",
    "snippet_collections",
    "sso_google",
    "sso_jwt",
    "sso_ldap",
    "sso_saml",
    "tenants",
    "transforms",
    "upload_management",
    "whitelabel",
)


def health(_: Call) -> Any:
    """GET /api/health"""
    return {"status": "ok"}


def properties(call: Call) -> Any:
    """GET /api/session/properties: the settings that this person may read; the setup token until somebody is set up"""
    done = call.instance.is_set_up()
    visible = PUBLIC if call.user is None else AUTHENTICATED
    found = {name: call.store.setting(name, s.default) for name, s in readable(visible).items()}
    found |= {name: fixed(name) for name in found if fixed(name) is not None}
    return {
        **found,
        "has-user-setup": done,
        "setup-token": None if done else call.store.setting("setup-token"),
        "version": VERSION,
        "token-features": dict.fromkeys(TOKEN_FEATURES, False),
        "available-locales": [["en", "English"]],
        "available-timezones": ["UTC"],
        "password-complexity": COMPLEXITY[call.instance.options.password_complexity],
        "engines": {"sqlite": {"driver-name": "SQLite", "superseded-by": None}} if call.user else {},
    }


ENDPOINTS = (
    Endpoint("GET", "/api/health", health, Access.ANYBODY),
    Endpoint("GET", "/livez", health, Access.ANYBODY),
    Endpoint("GET", "/readyz", health, Access.ANYBODY),
    Endpoint("GET", "/api/session/properties", properties, Access.ANYBODY),
)
