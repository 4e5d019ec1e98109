"""The Worker's evaluator decides as Python's: on the corpus, on random tables, and on the project's own policies."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.access.cases import load_cases
from infra.access.decide import decide
from infra.access.load import load_policies
from infra.access.query import read_query
from infra.access.table import compile_table
from tests.access.tables import situations
from tests.corpus.twin import RUNNER, Worker, node

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    process = Worker()
    yield process
    process.close()


def test_corpus() -> None:
    """`node tests/corpus/run.mjs` is content."""
    done = subprocess.run([node(), str(RUNNER)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(batch=situations())
def test_random_tables(worker: Worker, batch: dict[str, Any]) -> None:
    """On any table and request both evaluators give the same decision in every field."""
    expected = [decide(batch["table"], case["principal"], case["request"]) for case in batch["cases"]]
    assert worker.judge(batch) == expected


KEYS = st.sampled_from(["type", "lib/type", "native", "Lib_Type", "stages", "query", "joins", "__proto__", "DATABASE"])
LEAVES = st.sampled_from(
    [None, True, 0, 1, 1.0, 2, -1, 1e30, 1.5, "1", "native", "Native", "mbql.stage/native", "query"]
)
NATIVES = st.sampled_from([{"lib/type": "mbql.stage/native"}, {"LIB/type": "MBQL.stage/native"}, {"Type": "NATIVE"}])
TREES = st.recursive(
    LEAVES | NATIVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
DATABASES = st.sampled_from([1, 1, 1, 1.0, "1", 0, -1337, None])
QUERIES = st.builds(
    lambda tree, database: {**tree, "database": database}, st.dictionaries(KEYS, TREES, max_size=3), DATABASES
)
ODD = ["", "{", "[]", '{"database":1e400}', '{"database":1,"x":' + "9" * 5000 + "}", "\ufeff{}", "query=+{}", "query"]
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


def bodies() -> st.SearchStrategy[dict[str, str]]:
    """A query in each of its wrappings with the content type that fits, and at times one that doesn't."""
    text = QUERIES.map(json.dumps)
    fitting = st.one_of(
        st.tuples(text, st.just("query"), st.sampled_from([JSON, "APPLICATION/JSON; charset=utf-8"])),
        st.tuples(QUERIES.map(lambda query: json.dumps({"query": query})), st.just("export-form"), st.just(JSON)),
        st.tuples(text.map(lambda query: json.dumps({"query": query})), st.just("export-form"), st.just(JSON)),
        st.tuples(text.map(lambda query: urlencode({"query": query})), st.just("export-form"), st.just(FORM)),
    )
    any_body = text | text.map(lambda query: urlencode([("query", query)] * 2)) | st.sampled_from(ODD) | st.text()
    other = st.tuples(
        any_body, st.sampled_from(["query", "export-form"]), st.sampled_from([JSON, FORM, "text/plain", ""])
    )
    return st.one_of(fitting, fitting, other).map(
        lambda all_: dict(zip(("body", "form", "content_type"), all_, strict=True))
    )


@settings(max_examples=200, deadline=None)
@given(batch=st.lists(bodies(), min_size=1, max_size=10))
def test_random_bodies(worker: Worker, batch: list[dict[str, str]]) -> None:
    """Both read the same query, or none, from any body."""
    expected = [read_query(entry["body"], entry["form"], entry["content_type"]) for entry in batch]
    assert worker.judge({"bodies": batch}) == expected


def test_every_character(worker: Worker) -> None:
    """Both read the same paths and ids, whatever character or encoded byte stands in them."""
    role = {"match": [{"issuer": "w", "claims": {"c": "v"}}], "landing": "/", "deny": []}
    allow = [{"id": "all", "actions": ["dashboard:view"], "on": {"dashboard": "*"}}]
    about = {"method": "GET", "actions": ["dashboard:view"], "kind": "dashboard", "page": False, "body": None}
    forms = ("id", "slug", "entity")
    table = {
        "version": 1,
        "actions": {"dashboard:view": ["dashboard"]},
        "aliases": {},
        "roles": {"r": {**role, "allow": allow}},
        "routes": [{"id": form, "form": form, "path": f"/{form}/:dashboard", **about} for form in forms],
    }
    inserted = (
        [chr(code) for code in range(0x180)] + [f"%{byte:02x}" for byte in range(256)] + ["\u2028", "\ud800", "/."]
    )
    bases = ("", "1", "17", "1234567890", "7-x", "AbCdEfGhIjKlMnOpQrSt", "AbCdEfGhIjKlMnOpQrStU")
    ids = {base[:at] + text + base[at:] for base in bases for at in (0, 1, len(base)) for text in inserted}
    principal = {"issuer": "w", "claims": {"c": "v"}}
    paths = [f"/{form}/{one}" for form in forms for one in sorted(ids)]
    cases = [{"principal": principal, "request": {"method": "GET", "path": path}} for path in paths]
    expected = [decide(table, case["principal"], case["request"]) for case in cases]
    assert worker.judge({"table": table, "cases": cases}) == expected
    reasons = {decision["reason"] for decision in expected}
    assert reasons == {"rule-allowed", "path-malformed", "route-unknown", "resource-id-malformed"}


@pytest.mark.parametrize(
    ("body", "form", "kind"),
    [
        ("?query=%7B%22database%22%3A1%7D", "export-form", FORM),
        ('{"database":1}', "query", f"{JSON}; charset=utf-8=x"),
        ('{"database":1}', "query", f"{JSON};\x85charset=latin1"),
        ('{"database":1}', "query", f"{JSON};charset\x85=latin1"),
        ('{"database":1}', "query", f"{JSON};charset=\x85utf-8"),
        ('{"database":1}', "query", f"{JSON}\x85"),
    ],
)
def test_what_libraries_read_differently(worker: Worker, body: str, form: str, kind: str) -> None:
    """Neither reads what Python's and JavaScript's own functions would take differently."""
    assert read_query(body, form, kind) is None
    assert worker.judge({"bodies": [{"body": body, "form": form, "content_type": kind}]}) == [None]


def test_own_policies(worker: Worker) -> None:
    """The project's table has the same meaning in both, on each policy test and each route of the catalogue."""
    table = compile_table(load_policies(ROOT / "policies"))
    people, tests = load_cases(ROOT / "policies" / "tests.yaml")
    cases = [{"principal": test.principal, "request": test.request} for test in tests]
    for principal in people.values():
        for route in table["routes"]:
            parts = ["1" if part.startswith(":") else "a" if part == "*" else part for part in route["path"].split("/")]
            request = {"method": route["method"], "path": "/".join(parts)}
            cases.append({"principal": principal, "request": {**request, "query": {"native": False, "database": "1"}}})
    expected = [decide(table, case["principal"], case["request"]) for case in cases]
    assert worker.judge({"table": table, "cases": cases}) == expected
    assert {decision["effect"] for decision in expected} == {"allow", "deny"}
