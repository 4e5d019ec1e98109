"""`/api/session`: signing in and out, and what Metabase serves to people who can't sign in."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from ..answers import Refused, answer, invalid, not_found
from ..credentials import clear_cookies, end_session, open_session, session_key, set_cookies
from ..endpoints import Access, Call, Endpoint
from ..passwords import is_secret
from ..people import require_email, require_password


def client_address(call: Call) -> str:
    """The last entry of the address header, else the peer's address."""
    header = call.request.headers.get(call.instance.options.address_header, "")
    peer = call.request.client.host if call.request.client else "unknown"
    return header.rsplit(",", 1)[-1].strip() or peer


def sign_in(call: Call) -> Any:
    """POST /api/session: 401 for every failure, and for whoever failed too often"""
    call.need("username", "password")
    name, address, now = call.body["username"], client_address(call), call.instance.now()
    throttles = ((call.instance.login_by_address, address), (call.instance.login_by_name, name))
    try:
        for throttle, key in throttles:
            throttle.check(key, now)
        user_id = _authenticate(call, name, call.body["password"])
    except Refused:
        for throttle, key in throttles:
            throttle.failed(key, now)
        raise
    key = open_session(call.instance, user_id)
    return set_cookies(answer({"id": key}), call.instance, key, remember=call.body.get("remember") is True)


def _authenticate(call: Call, name: str, password: str) -> int:
    user = call.store.row("SELECT * FROM user WHERE email = ? AND type = 'personal'", name)
    if not is_secret(password, user["password"] if user else None) or user is None:
        raise Refused(401, {"errors": {"password": "did not match stored password"}})
    if not user["is_active"]:
        raise Refused(401, {"errors": {"_error": "Your account is disabled."}})
    return int(user["id"])


def sign_out(call: Call) -> Any:
    """DELETE /api/session: 404 where the request names no session"""
    key, _ = session_key(call.request)
    if not key or not end_session(call.store, key):
        raise not_found()
    return clear_cookies(Response(status_code=204))


def forgot_password(call: Call) -> Any:
    """POST /api/session/forgot_password: always 204, so that nobody learns which addresses exist; no mail is sent"""
    require_email(call.body)


def reset_password(call: Call) -> Any:
    """POST /api/session/reset_password: nobody ever gets a token, so none is valid"""
    call.need("token")
    require_password(call.instance, call.body)
    raise invalid("password", "Invalid reset token")


def reset_token_valid(call: Call) -> Any:
    """GET /api/session/password_reset_token_valid"""
    call.need("token", of=dict(call.query))
    return {"valid": False}


def password_check(call: Call) -> Any:
    """POST /api/session/password-check, in older versions /api/util/password_check"""
    require_password(call.instance, call.body)
    return {"valid": True}


ENDPOINTS = (
    Endpoint("POST", "/api/session", sign_in, Access.ANYBODY),
    Endpoint("DELETE", "/api/session", sign_out, Access.ANYBODY),
    Endpoint("POST", "/api/session/forgot_password", forgot_password, Access.ANYBODY),
    Endpoint("POST", "/api/session/reset_password", reset_password, Access.ANYBODY),
    Endpoint("GET", "/api/session/password_reset_token_valid", reset_token_valid, Access.ANYBODY),
    Endpoint("POST", "/api/session/password-check", password_check, Access.ANYBODY),
    Endpoint("POST", "/api/util/password_check", password_check, Access.ANYBODY),
)
