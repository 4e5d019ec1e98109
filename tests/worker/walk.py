"""Sends a walk's requests to a running gateway, many at a time, and joins each answer with its audit event."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from infra.access.decide import attributes_of, matching_roles
from tests.access.domain import Ask, Asker, askers, asks
from tests.worker.deployment import ISSUER, PUBLIC, signer
from tests.worker.messages import Seen
from tests.worker.people import cookie_of
from tests.worker.runtime import Runtime

PROVIDER = "workforce"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
CONNECTIONS = 32
"""A request waits more than it works."""
WITH_BODY = ("POST", "PUT", "PATCH")
BROKERS = ("/api/user", "/api/session")
UNREADABLE = (("text/plain", '{"database":1,"type":"query"}'), (JSON, '{"database":1,"database":2}'), (JSON, ""))
"""Three of the many ways (`test_queries.py` has more) in which a query can't be read."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One request of the walk, as it is sent."""

    asker: Asker
    principal: dict[str, Any]
    """As the gateway knows them: a machine's claims are its whole token."""
    ask: Ask
    headers: dict[str, str]
    body: bytes | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of it: the answer, the audit event, and what the origin saw."""

    step: Step
    status: int
    problem: dict[str, Any] | None
    event: dict[str, Any]
    origin: tuple[Seen, ...]


def enter(runtime: Runtime, asker: Asker) -> tuple[dict[str, str], dict[str, Any]]:
    """The header with which somebody comes, and the principal that the gateway makes of it."""
    name = asker.name.replace(" ", "-")
    if asker.kind == "person":
        table = runtime.deployment.table or {}
        roles = matching_roles(table, asker.principal)
        role = roles[0] if len(roles) == 1 else None
        opened = {"role": role, "attributes": attributes_of(table, role, asker.principal) if role else {}}
        return cookie_of(runtime, name, issuer=asker.issuer, claims=dict(asker.claims), **opened), asker.principal
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": PUBLIC, "sub": name, "iat": now, "exp": now + 3600, **asker.claims}
    header = {"Authorization": f"Bearer {signer('idp').sign(claims)}"}
    return header, {**asker.principal, "issuer": PROVIDER, "claims": claims}


def bodies_of(ask: Ask) -> Iterator[tuple[str, bytes] | None]:
    """Every writing of the request's query; None where it has no body."""
    if not ask.has_query or ask.route is None:
        yield None
        return
    if ask.query is None:
        yield from ((kind, text.encode()) for kind, text in UNREADABLE)
        return
    inner: dict[str, Any] = {"native": {"query": "select 1"}} if ask.query["native"] else {"query": {"source-table": 2}}
    kind = "native" if ask.query["native"] else "query"
    query = {"database": int(ask.query["database"]), "type": kind, **inner}
    if ask.route["body"] == "query":
        yield JSON, json.dumps(query).encode()
        return
    yield JSON, json.dumps({"query": query}).encode()
    yield JSON, json.dumps({"query": json.dumps(query)}).encode()
    yield FORM, urlencode({"query": json.dumps(query)}).encode()


def steps_of(runtime: Runtime, table: Mapping[str, Any]) -> Iterator[Step]:
    """Everybody's every request."""
    every, few = asks(table), asks(table, thorough=False)
    for asker in askers(table):
        header, principal = enter(runtime, asker)
        for ask in every if asker.thorough else few:
            for body in bodies_of(ask):
                more = {"Content-Type": body[0]} if body else {}
                data = body[1] if body else (b"" if ask.method in WITH_BODY else None)
                yield Step(asker=asker, principal=principal, ask=ask, headers={**header, **more}, body=data)


def walk(runtime: Runtime, steps: Sequence[Step]) -> list[Outcome]:
    """Sends all of them, and waits for exactly one event each."""
    runtime.forget()
    parts = [steps[index::CONNECTIONS] for index in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = [one for part in pool.map(lambda part: _send(runtime, part), parts) for one in part]
    events = _events(runtime, len(answers))
    seen: dict[str, list[Seen]] = {}
    for one in runtime.world.of("origin"):
        seen.setdefault("".join(one.values("mbgate-request-id")), []).append(one)
    # The broker, which asks the same Metabase for machines' sessions, names no request.
    assert all(one.target.startswith(BROKERS) for one in seen.pop("", []))
    assert set(seen) <= {request for _, request, _, _ in answers}, "the origin saw what nobody asked for"
    return [
        Outcome(step=step, status=status, problem=problem, event=events[request], origin=tuple(seen.get(request, ())))
        for step, request, status, problem in answers
    ]


def _send(runtime: Runtime, steps: Sequence[Step]) -> list[tuple[Step, str, int, dict[str, Any] | None]]:
    connection = HTTPConnection("127.0.0.1", runtime.ports["gateway"], timeout=20)
    found = []
    for step in steps:
        response = runtime.start(connection, step.ask.method, step.ask.path, step.headers, step.body)
        data = response.read()
        is_problem = response.headers["content-type"] == "application/problem+json" and data
        problem = json.loads(data) if is_problem else None
        found.append((step, response.headers["mbgate-request-id"], response.status, problem))
    connection.close()
    return found


def _events(runtime: Runtime, count: int) -> dict[str, dict[str, Any]]:
    deadline = time.monotonic() + 20
    while len(runtime.lines) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.1)
    events = [one for one in runtime.logged() if one["type"] == "mbgate.access"]
    found = {one["request_id"]: one for one in events}
    assert (len(events), len(found)) == (count, count), runtime.lines[-5:]
    return found
