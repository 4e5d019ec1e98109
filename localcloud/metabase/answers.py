"""Answers: of saved questions, of dashboards' cards, of queries made on the spot; as streams or as files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from . import exports, queries
from .auth import Refused, require_user
from .content import CARD, DASHBOARD, database_answer, readable_document
from .context import body_of, context_of
from .permissions import require_queries
from .sample import DATABASE_ID

CHUNK = 4096
FORMATS = ("csv", "json", "xlsx")


async def _stream(answer: dict[str, Any]) -> AsyncIterator[bytes]:
    text = json.dumps(answer).encode()
    for start in range(0, len(text), CHUNK):
        yield text[start : start + CHUNK]
        await asyncio.sleep(0)


async def _answer(
    request: Request, query: dict[str, Any], kind: str | None, more: dict[str, Any] | None = None
) -> Response:
    found = await asyncio.to_thread(queries.run, context_of(request).sample, query)
    if kind is None:
        headers = {"Connection": "close"}
        return StreamingResponse(
            _stream({**found, **(more or {})}), status_code=202, media_type="application/json", headers=headers
        )
    if kind not in FORMATS:
        raise Refused(404, "API endpoint does not exist.")
    if found["status"] == "failed":
        return JSONResponse({"error": found["error"], "status": "failed"}, status_code=202)
    name = f'attachment; filename="query_result.{kind}"'
    return Response(exports.export(found, kind), media_type=exports.TYPES[kind], headers={"Content-Disposition": name})


async def run_card(request: Request) -> Response:
    """POST /api/card/{id}/query, also with a format"""
    _, card = readable_document(request, "card")
    return await _answer(request, card["dataset_query"], request.path_params.get("format"), {"context": "question"})


async def run_dashcard(request: Request) -> Response:
    """POST /api/dashboard/{id}/dashcard/{dashcard}/card/{card}/query, also with a format"""
    store = context_of(request).store
    _, dashboard = readable_document(request, "dashboard")
    wanted = (request.path_params["dashcard"], request.path_params["card"])
    if wanted not in {(dc["id"], dc["card_id"]) for dc in dashboard["dashcards"]}:
        raise Refused(404, "Not found.")
    card = store.document("card", wanted[1])
    if card is None:
        raise Refused(404, "Not found.")
    return await _answer(request, card["dataset_query"], request.path_params.get("format"), {"context": "dashboard"})


async def dataset(request: Request) -> Response:
    """POST /api/dataset, also with a format (the query then as JSON or as a form's field)"""
    store = context_of(request).store
    user, kind = require_user(store, request), request.path_params.get("format")
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        query = json.loads(parse_qs((await request.body()).decode())["query"][0])
    else:
        query = await body_of(request)
        if kind is not None:
            inner = query.get("query")
            query = json.loads(inner) if isinstance(inner, str) else inner
    require_queries(store, user, queries.is_native(query))
    return await _answer(request, query, kind)


async def dataset_native(request: Request) -> Response:
    """POST /api/dataset/native: the SQL of a query"""
    store, query = context_of(request).store, await body_of(request)
    require_queries(store, require_user(store, request), True)
    try:
        sql, values = queries.to_sql(query)
    except queries.QueryFailed as error:
        raise Refused(400, str(error)) from None
    return JSONResponse({"query": sql, "params": values or None})


async def databases(request: Request) -> Response:
    """GET /api/database"""
    require_user(context_of(request).store, request)
    return JSONResponse({"data": [database_answer()], "total": 1})


async def database(request: Request) -> Response:
    """GET /api/database/{id} and its metadata"""
    require_user(context_of(request).store, request)
    if request.path_params["id"] != DATABASE_ID:
        raise Refused(404, "Not found.")
    tables = [
        {"id": number, "name": name.upper(), "display_name": name.capitalize(), "db_id": DATABASE_ID,
         "fields": [{"id": f, "name": c} for f, (t, c) in queries.FIELDS.items() if t == name]}
        for number, name in queries.TABLES.items()
    ]  # fmt: skip
    return JSONResponse({**database_answer(), "tables": tables})


DASHCARD = DASHBOARD + "/dashcard/{dashcard:int}/card/{card:int}/query"
ROUTES = [
    Route(DASHCARD, run_dashcard, methods=["POST"]),
    Route(DASHCARD + "/{format}", run_dashcard, methods=["POST"]),
    Route(CARD + "/query", run_card, methods=["POST"]),
    Route(CARD + "/query/{format}", run_card, methods=["POST"]),
    Route("/api/dataset", dataset, methods=["POST"]),
    Route("/api/dataset/native", dataset_native, methods=["POST"]),
    Route("/api/dataset/{format}", dataset, methods=["POST"]),
    Route("/api/database", databases),
    Route("/api/database/{id:int}", database),
    Route("/api/database/{id:int}/metadata", database),
]
