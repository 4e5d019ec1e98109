"""The application's page, which answers every unknown GET as Metabase does, and its files."""

from __future__ import annotations

import html
import secrets

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from ..credentials import identify
from ..instance import Instance
from .assets import load_assets

FOREVER = "public, max-age=31536000, immutable"
_ASSETS = load_assets()
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


async def asset(request: Request) -> Response:
    """GET /app/*"""
    found = _ASSETS.files.get(request.url.path)
    if found is None:
        return PlainTextResponse("Not found.", status_code=404)
    return Response(found[0], media_type=found[1], headers={"Cache-Control": FOREVER})


async def page(request: Request) -> Response:
    """The page, with a nonce of its own. Where a gateway stands in front, signing out is the gateway's."""
    instance: Instance = request.app.state.instance
    user = await run_in_threadpool(identify, instance, request)
    request.state.user_id = user["id"] if user else None
    nonce = secrets.token_urlsafe(16)
    values = {
        "nonce": nonce,
        "script": _ASSETS.script,
        "style": _ASSETS.style,
        "title": str(instance.store.setting("site-name", "Metabase")),
        "sign-out": "/_gateway/sign-out" if "mbgate-request-id" in request.headers else "/auth/logout",
    }
    text = _ASSETS.page
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", html.escape(value))
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY.format(nonce=nonce)})
