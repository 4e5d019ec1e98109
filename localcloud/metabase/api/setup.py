"""`POST /api/setup`: the first person, once."""

from __future__ import annotations

import hmac
from typing import Any

from ..answers import Refused, answer, malformed
from ..credentials import open_session, set_cookies
from ..endpoints import Access, Call, Endpoint
from ..people import add_user, require_email, require_password, set_memberships
from ..permissions import ADMINISTRATORS, ALL_USERS
from ..sample.content import load_sample_content

ONCE = "The /api/setup route can only be used to create the first user, however a user currently exists."


def setup(call: Call) -> Any:
    """Makes the administrator and the sample content; answers the session's id."""
    store, body = call.store, call.body
    user, prefs = body.get("user"), body.get("prefs")
    if call.instance.is_set_up():
        raise Refused(403, ONCE)
    if not isinstance(user, dict) or not isinstance(prefs, dict):
        raise malformed(
            {name: "value must be a map." for name in ("user", "prefs") if not isinstance(body.get(name), dict)}
        )
    expected = str(store.setting("setup-token"))
    if not hmac.compare_digest(str(body.get("token")).encode(), expected.encode()):
        raise malformed({"token": "Token does not match the setup token."})
    call.need("site_name", of=prefs)
    email, password = require_email(user), require_password(call.instance, user)
    with store.change():
        if call.instance.is_set_up():
            raise Refused(403, ONCE)
        user_id = add_user(call.instance, email, user.get("first_name"), user.get("last_name"), password=password)
        set_memberships(store, user_id, [ALL_USERS, ADMINISTRATORS])
        store.set_setting("site-name", prefs["site_name"])
        store.set_setting("admin-email", email)
        store.set_setting("anon-tracking-enabled", bool(prefs.get("allow_tracking", False)))
        load_sample_content(call.instance, user_id)
        key = open_session(call.instance, user_id)
    return set_cookies(answer({"id": key}), call.instance, key)


ENDPOINTS = (Endpoint("POST", "/api/setup", setup, Access.ANYBODY),)
