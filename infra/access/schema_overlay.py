"""The JSON Schema of overlays, `environments/NAME.yaml`: the terms of `roles.yaml`, with what is done to them."""

from __future__ import annotations

from .overlay import OPTIONAL_FIELDS, ROLE_FIELDS
from .schema_roles import role_defs, role_schema
from .schema_terms import DIALECT, Schema, listed, record, ref, version


def overlay_schema() -> Schema:
    """The schema of an overlay, `environments/NAME.yaml`."""
    name = ref("text")
    names = listed(name, "Names that the base has.")
    named = {"type": "object", "minProperties": 1}
    issuers = {
        "add": {**named, "additionalProperties": ref("issuer"), "description": "Issuers that the base lacks."},
        "replace": {**named, "additionalProperties": ref("issuer"), "description": "Issuers, written anew."},
        "remove": names,
    }
    roles = {
        "add": {**named, "additionalProperties": ref("role"), "description": "Roles that the base lacks."},
        "remove": names,
        "change": {**named, "additionalProperties": _change(), "description": "Changes of roles that the base has."},
    }
    fields = {
        "version": version(),
        "issuers": _changes("Changes of `issuers`.", issuers),
        "roles": _changes("Changes of `roles`.", roles),
    }
    top = record("What this environment has otherwise than roles.yaml.", fields, ("version",))
    return {"$schema": DIALECT, "title": "mbgate: environments/NAME.yaml", **top, "$defs": role_defs()}


def _change() -> Schema:
    role = role_schema()["properties"]
    rules = {
        effect: _changes(
            f"Changes of `{effect}`; rules are known by their ids.",
            {
                "add": listed(ref(effect), "Rules that the base lacks."),
                "replace": listed(ref(effect), "Rules, written anew."),
                "remove": listed(ref("text"), "Ids of rules that the base has."),
            },
        )
        for effect in ("allow", "deny")
    }
    match = {
        "add": listed(ref("match"), "Further ways to have the role."),
        "remove": listed(ref("match"), "Entries that the base has, word for word."),
    }
    fields = {
        "set": _changes("Keys, written anew.", {key: role[key] for key in ROLE_FIELDS}),
        "unset": listed({"enum": list(OPTIONAL_FIELDS)}, "Keys that the base has, to be left out."),
        "match": _changes("Changes of `match`.", match),
        **rules,
    }
    return _changes("What is otherwise in this role.", fields)


def _changes(doc: str, fields: Schema) -> Schema:
    return record(doc, fields, ()) | {"minProperties": 1}
