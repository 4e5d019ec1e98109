"""Cron triggers and the workers.dev switch of a script.

Source: https://developers.cloudflare.com/workers/configuration/cron-triggers/
"""

from __future__ import annotations

import re

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from .endpoints import Json, endpoint, json_body
from .envelope import ApiError, Strict, now, ok, parse
from .worker_models import Subdomain
from .workers import by_name
from .world import world_of

FIELD = re.compile(r"[0-9A-Za-z*/,#?-]+")


class Schedule(Strict):
    """An item of the bare array; the answers' times are taken and ignored, so that an answer can be sent back."""

    cron: str
    created_on: str | None = None
    modified_on: str | None = None


SCHEDULES = TypeAdapter(list[Schedule])


def _worker(request: Request) -> Json:
    worker = by_name(world_of(request), request.path_params["script"])
    if worker is None:
        raise ApiError(404, 10007, "This Worker does not exist on your account.")
    return worker


async def put_schedules(request: Request) -> Response:
    """PUT …/schedules: a bare array of `{cron}` that replaces all; an empty one stops them"""
    world, worker = world_of(request), _worker(request)
    try:
        body = SCHEDULES.validate_python(await json_body(request))
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors(include_url=False)]
        raise ApiError(400, 10001, "; ".join(faults)) from None
    crons = [schedule.cron for schedule in body]
    for cron in crons:
        _check(cron, crons)
    earlier = world.store.get("schedules", worker["id"]) or {"schedules": []}
    created = {schedule["cron"]: schedule["created_on"] for schedule in earlier["schedules"]}
    schedules = [{"cron": cron, "created_on": created.get(cron, now()), "modified_on": now()} for cron in crons]
    world.store.put("schedules", worker["id"], {"schedules": schedules})
    return ok({"schedules": schedules})


def _check(cron: str, crons: list[str]) -> None:
    fields = cron.split(" ")
    if len(fields) != 5 or not all(FIELD.fullmatch(field) for field in fields):
        raise ApiError(400, 10100, f"invalid cron string: {cron}")
    if crons.count(cron) > 1:
        raise ApiError(400, 10100, f"duplicate cron string: {cron}")


async def get_schedules(request: Request) -> Response:
    """GET …/schedules"""
    return ok(world_of(request).store.get("schedules", _worker(request)["id"]) or {"schedules": []})


async def get_subdomain(request: Request) -> Response:
    """GET …/subdomain"""
    return ok(_worker(request)["subdomain"])


async def set_subdomain(request: Request) -> Response:
    """POST …/subdomain"""
    world, worker = world_of(request), _worker(request)
    body = parse(Subdomain, await json_body(request))
    if "enabled" not in body.model_fields_set:
        raise ApiError(400, 10001, "enabled: Field required")
    world.store.put("worker", worker["id"], {**worker, "subdomain": body.settled()})
    return ok(body.settled())


async def delete_subdomain(request: Request) -> Response:
    """DELETE …/subdomain: both switches off"""
    world, worker = world_of(request), _worker(request)
    off = Subdomain().settled()
    world.store.put("worker", worker["id"], {**worker, "subdomain": off})
    return ok(off)


BASE = "/accounts/{account}/workers/scripts/{script}"
ROUTES = [
    endpoint("PUT", BASE + "/schedules", put_schedules),
    endpoint("GET", BASE + "/schedules", get_schedules),
    endpoint("GET", BASE + "/subdomain", get_subdomain),
    endpoint("POST", BASE + "/subdomain", set_subdomain),
    endpoint("DELETE", BASE + "/subdomain", delete_subdomain),
]
