"""Any path, method, principal and query: never an exception, never more than the policies declare, never two answers.

An input is `TABLE METHOD PATH`, the principal in JSON and, unless it is left out, the query in JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

from infra.access.cases import load_cases
from infra.access.decide import Reason, decide
from infra.access.load import read_policies
from infra.access.routes import match_route, split_path
from infra.access.source import Source
from infra.access.table import compile_table
from tests.fuzz.judging import fields_of, input_of, json_of, worker
from tests.fuzz.loading import FOLDERS, ROOT
from tests.fuzz.oracle import objections, parts_of, roles_of, routes_of, target_of

CORPUS = sorted((ROOT / "tests" / "corpus").glob("*.json"))


@cache
def tables() -> tuple[dict[str, Any], ...]:
    """The project's table, the examples' with the project's routes, and the corpus's."""
    routes = FOLDERS[0] / "routes.yaml"
    made = [compile_table(read_policies(Source(folder / "roles.yaml"), Source(routes))) for folder in FOLDERS]
    return (*made, *(json.loads(file.read_text("utf-8"))["table"] for file in CORPUS))


@cache
def _sent(number: int) -> str:
    """The name by which the Worker knows a table, once it was sent there."""
    worker().judge({"name": str(number), "table": tables()[number], "cases": []})
    return str(number)


def seeds() -> Iterator[bytes]:
    """The corpus's cases, and every policy test."""
    for number, folder in enumerate(FOLDERS):
        for case in load_cases(folder / "tests.yaml")[1]:
            yield _input(number, case.principal, case.request)
    for number, file in enumerate(CORPUS, start=len(FOLDERS)):
        for case in json.loads(file.read_text("utf-8"))["cases"]:
            yield _input(number, case["principal"], case["request"])


def _input(number: int, principal: Any, request: Any) -> bytes:
    head = f"{number} {request['method']} {request['path']}"
    query = [json.dumps(request["query"])] if "query" in request else []
    return input_of(head, json.dumps(principal), *query)


def case_of(data: bytes) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """The table's number, the principal and the request that an input stands for."""
    head, principal, query = fields_of(data, 3)
    number, _, line = (head or "").partition(" ")
    method, _, path = line.partition(" ")
    who = json_of(principal or "")
    request: dict[str, Any] = {"method": method, "path": path}
    if query is not None:
        request["query"] = json_of(query)
    index = int(number) % len(tables()) if number.isascii() and number.isdecimal() and len(number) < 5 else 0
    return index, who if isinstance(who, dict) else {"issuer": "workforce", "claims": who}, request


def run(data: bytes) -> None:
    """Judges the request in all three ways."""
    number, principal, request = case_of(data)
    table = tables()[number]
    parts = parts_of(request["path"])
    assert split_path(request["path"]) == parts
    if parts is not None:
        fitting = routes_of(table, request["method"], parts)
        found = match_route(table["routes"], request["method"], parts)
        assert (found[0] if found else None) == (fitting[0] if fitting else None)
    decision: Any = decide(table, principal, request)
    assert decision["effect"] in ("allow", "deny") and decision["reason"] in get_args(Reason)
    assert (decision["effect"] == "allow") == (decision["reason"] == "rule-allowed")
    if decision["effect"] == "allow":
        check_declared(table, principal, request, decision)
    judged = worker().judge({"name": _sent(number), "cases": [{"principal": principal, "request": request}]})
    assert judged == [decision], f"the Worker decides {judged}, Python {decision}"


def check_declared(table: dict[str, Any], principal: dict[str, Any], request: dict[str, Any], decision: Any) -> None:
    """Whatever is allowed is declared, and the decision says what was."""
    against = objections(table, principal, request)
    assert not against, f"{decision} although {against}"
    route = routes_of(table, request["method"], parts_of(request["path"]) or [])[0]
    actions, resource = target_of(table, route, request)
    named = decision["resource"] and (decision["resource"]["kind"], decision["resource"]["id"])
    assert [decision["role"]] == roles_of(table, principal)
    assert (decision["route"], decision["actions"], named) == (route["id"], actions, resource)
    assert decision["rule"] in [rule["id"] for rule in table["roles"][decision["role"]]["allow"]]
