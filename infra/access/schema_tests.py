"""The JSON Schema of `tests.yaml`."""

from __future__ import annotations

from typing import get_args

from .cases import REQUEST
from .decide import AUDIENCES, Reason
from .ids import NUMERIC
from .schema_terms import DIALECT, Schema, listed, record, ref, text, version, whole


def tests_schema() -> Schema:
    """The schema of `tests.yaml`."""
    person = record(
        "A person whom the tests ask for.",
        {
            "kind": {"enum": list(AUDIENCES), "description": "`person`, or a machine with a token of its own."},
            "issuer": ref("text", "The issuer's name."),
            "claims": _person_claims(),
        },
        ("issuer", "claims"),
    )
    people = {"type": "object", "description": "Names and claims.", "additionalProperties": person}
    fields: Schema = {"version": version(), "people": people, "tests": listed(_test(), "What each may and may not do.")}
    top = record("Policy tests, run by `mbgate policy test`.", fields, ("version", "people", "tests"))
    defs = {"expectation": _expectation(), "text": text()}
    return {"$schema": DIALECT, "title": "mbgate: tests.yaml", **top, "$defs": defs}


def _person_claims() -> Schema:
    value = {"anyOf": [ref("text"), {"type": "array", "items": ref("text")}]}
    doc = "Claims as the provider sends them: texts, or lists of texts."
    return {"type": "object", "description": doc, "additionalProperties": value}


def _test() -> Schema:
    entries = {"type": "array", "items": ref("expectation"), "minItems": 1}
    fields = {
        "as": ref("text", "One of `people`."),
        "allow": entries | {"description": "Requests that must be let through."},
        "deny": entries | {"description": "Requests that must be refused."},
        "in": listed(ref("text"), "Environments in which this must hold; `base` is without an overlay. Else: all."),
        "except": listed(ref("text"), "Environments in which this needn't hold."),
    }
    either = {"anyOf": [{"required": ["allow"]}, {"required": ["deny"]}]}
    return record("What one person may and may not do.", fields, ("as",)) | either


def _expectation() -> Schema:
    request = {"type": "string", "pattern": whole(REQUEST.pattern), "description": "`METHOD PATH`."}
    database = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": whole(NUMERIC.pattern)}]}
    native = {"type": "boolean", "description": "Whether the body holds SQL."}
    query = record("What the body asks.", {"native": native, "database": database}, ("native", "database"))
    reason = {"enum": list(get_args(Reason)), "description": "The reason that must be given."}
    fields = {"request": request, "query": {"anyOf": [{"const": "unreadable"}, query]}, "reason": reason}
    return {"anyOf": [request, record("A request and more.", fields, ("request",))]}
