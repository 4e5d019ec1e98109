"""The application: operations, the page for every other address, and what happens at the first boot."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from . import documents
from .answers import NO_ENDPOINT
from .api import (
    activity,
    api_keys,
    cards,
    collections,
    dashboards,
    databases,
    datasets,
    graphs,
    groups,
    health,
    public,
    search,
    sessions,
    settings,
    setup,
    users,
)
from .endpoints import routes
from .instance import Instance, Options
from .permissions import ADMINISTRATORS, ALL_USERS, DATABASE_ID, QUERY_LEVELS
from .sample.database import make_sample_database
from .store import Store
from .traffic import Log, Traffic
from .web.pages import asset, page

# `graphs` before `collections`: the literal path before the parameter.
FAMILIES = (
    *(health, setup, sessions, settings, api_keys, users, groups, graphs, collections, search),
    *(dashboards, cards, datasets, databases, activity, public),
)
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]


def make_app(folder: Path, *, now: Callable[[], float] = time.time, **options: Any) -> ASGIApp:
    """One instance with its state in `folder` and these `Options`; `StoreError` where the state can't be used."""
    return app_of(folder, Options(**options), now)


def app_of(folder: Path, options: Options, now: Callable[[], float] = time.time) -> ASGIApp:
    """The same, with the options as one value."""
    store = Store(folder)
    _first_boot(store, options)
    sample = folder / "sample.sqlite"
    make_sample_database(sample)
    instance = Instance(folder=folder, store=store, sample=sample, options=options, now=now, started_at=now())
    log, unknown = Log(folder / "requests.ndjson"), Log(folder / "unknown.ndjson")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        for part in (store, log, unknown):
            part.close()

    found = [
        *(route for family in FAMILIES for route in routes(family.ENDPOINTS)),
        Route("/app/{rest:path}", asset),
        Route("/{rest:path}", _anything_else, methods=METHODS),
    ]
    app = Starlette(routes=found, lifespan=lifespan, exception_handlers={HTTPException: _on_http_error})
    app.state.instance, app.state.unknown = instance, unknown
    return Traffic(app, instance, log)


def _first_boot(store: Store, options: Options) -> None:
    with store.change():
        if store.setting("setup-token") is None or options.setup_token:
            store.set_setting("setup-token", options.setup_token or str(uuid.uuid4()))
        if store.row("SELECT 1 AS x FROM permissions_group"):
            return
        sql = "INSERT INTO permissions_group (id, name, magic_group_type, entity_id) VALUES (?, ?, ?, ?)"
        magic = {ALL_USERS: "all-internal-users", ADMINISTRATORS: "admin"}
        for number, kind in magic.items():
            store.run(sql, number, groups.NAMES[number], kind, documents.new_entity_id())
        # All Users starts wide, in Metabase too.
        store.run("INSERT INTO collection_permission VALUES (?, 'root', 'write')", ALL_USERS)
        store.run("INSERT INTO data_permission VALUES (?, ?, ?)", ALL_USERS, DATABASE_ID, QUERY_LEVELS[-1])


async def _anything_else(request: Request) -> Response:
    path = request.url.path
    if path == "/api" or path.startswith("/api/") or request.method not in ("GET", "HEAD"):
        return _unknown(request)
    return await page(request)


def _unknown(request: Request) -> Response:
    """What Metabase says of an operation that it doesn't have, and a line for whoever reads the log."""
    request.app.state.unknown.write({"time": time.time(), "method": request.method, "path": request.url.path})
    return PlainTextResponse(NO_ENDPOINT, status_code=404)


async def _on_http_error(request: Request, error: Exception) -> Response:
    """A known path with another method is, to Metabase, an operation that doesn't exist."""
    known = isinstance(error, HTTPException) and error.status_code != 405
    return PlainTextResponse(str(error), status_code=400) if known else _unknown(request)
