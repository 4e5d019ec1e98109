"""JSON Schemas of `roles.yaml`, its overlays and `tests.yaml`, for editors: completion, hover texts, faults of form.

The loader stays the judge: a schema can't see who shares a claim, what a landing page takes, or how a word was quoted.
"""

from __future__ import annotations

import json
from typing import Any, get_args

from .actions import ACTIONS, KINDS, PLURALS
from .cases import REQUEST
from .conditions import MAX_ENTRIES, MAX_MINUTES, PARAMETER
from .decide import AUDIENCES, Reason
from .ids import ENTITY, NUMERIC
from .issuers import MAX_ISSUERS
from .issuers import NAME as ISSUER_NAME
from .match import MAX_CLAIMS, MAX_MATCHES, RESERVED_CLAIMS, UNTEXTUAL_CLAIMS
from .overlay import OPTIONAL_FIELDS, ROLE_FIELDS
from .roles import AUDIENCES as WHOM
from .roles import GRANTS, MAX_ROLES, MAX_RULES, ROLE, ROLE_LENGTH, SESSION_MINUTES
from .rules import ALL
from .rules import ID as RULE_ID

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ROLES_SCHEMA = "schema.json"
OVERLAY_SCHEMA = "environment.schema.json"
TESTS_SCHEMA = "tests.schema.json"
LARGEST_ID = 9_999_999_999
Schema = dict[str, Any]


def roles_schema() -> Schema:
    """The schema of `roles.yaml`."""
    roles = {
        "type": "object",
        "description": "Role names and roles; a person has the one role that their claims match.",
        "propertyNames": {"pattern": _whole(ROLE.pattern), "maxLength": ROLE_LENGTH},
        "additionalProperties": {"$ref": "#/$defs/role"},
        "minProperties": 1,
        "maxProperties": MAX_ROLES,
    }
    fields = {"version": _version(), "issuers": _issuers(), "roles": roles}
    top = _record("Who may do what in Metabase.", fields, ("version", "roles"))
    return {"$schema": DIALECT, "title": "mbgate: roles.yaml", **top, "$defs": _role_defs()}


def _role_defs() -> Schema:
    return {
        "role": _role(),
        "issuer": _issuer(),
        "session": _session(),
        "match": _match(),
        "metabase": _metabase(),
        "allow": _rule("Allows actions.", is_allow=True),
        "deny": _rule("Denies actions; without `on`, on every resource.", is_allow=False),
        "on": _on(),
        "action": _actions(),
        "approval": _approval(),
        "claims": _claims_by_name(),
        "id": _id(),
        "text": _text(),
    }


def overlay_schema() -> Schema:
    """The schema of an overlay, `environments/NAME.yaml`."""
    name = _ref("text")
    names = _list(name, "Names that the base has.")
    named = {"type": "object", "minProperties": 1}
    issuers = {
        "add": {**named, "additionalProperties": _ref("issuer"), "description": "Issuers that the base lacks."},
        "replace": {**named, "additionalProperties": _ref("issuer"), "description": "Issuers, written anew."},
        "remove": names,
    }
    roles = {
        "add": {**named, "additionalProperties": _ref("role"), "description": "Roles that the base lacks."},
        "remove": names,
        "change": {**named, "additionalProperties": _change(), "description": "Changes of roles that the base has."},
    }
    fields = {
        "version": _version(),
        "issuers": _changes("Changes of `issuers`.", issuers),
        "roles": _changes("Changes of `roles`.", roles),
    }
    top = _record("What this environment has otherwise than roles.yaml.", fields, ("version",))
    return {"$schema": DIALECT, "title": "mbgate: environments/NAME.yaml", **top, "$defs": _role_defs()}


def _change() -> Schema:
    role = _role()["properties"]
    rules = {
        effect: _changes(
            f"Changes of `{effect}`; rules are known by their ids.",
            {
                "add": _list(_ref(effect), "Rules that the base lacks."),
                "replace": _list(_ref(effect), "Rules, written anew."),
                "remove": _list(_ref("text"), "Ids of rules that the base has."),
            },
        )
        for effect in ("allow", "deny")
    }
    match = {
        "add": _list(_ref("match"), "Further ways to have the role."),
        "remove": _list(_ref("match"), "Entries that the base has, word for word."),
    }
    fields = {
        "set": _changes("Keys, written anew.", {key: role[key] for key in ROLE_FIELDS}),
        "unset": _list({"enum": list(OPTIONAL_FIELDS)}, "Keys that the base has, to be left out."),
        "match": _changes("Changes of `match`.", match),
        **rules,
    }
    return _changes("What is otherwise in this role.", fields)


def _changes(doc: str, fields: dict[str, Schema]) -> Schema:
    return _record(doc, fields, ()) | {"minProperties": 1}


def tests_schema() -> Schema:
    """The schema of `tests.yaml`."""
    person = _record(
        "A person whom the tests ask for.",
        {
            "kind": {"enum": list(AUDIENCES), "description": "`person`, or a machine with a token of its own."},
            "issuer": _ref("text", "The issuer's name."),
            "claims": _person_claims(),
        },
        ("issuer", "claims"),
    )
    people = {"type": "object", "description": "Names and claims.", "additionalProperties": person}
    fields: Schema = {"version": _version(), "people": people, "tests": _list(_test(), "What each may and may not do.")}
    top = _record("Policy tests, run by `mbgate policy test`.", fields, ("version", "people", "tests"))
    defs = {"expectation": _expectation(), "text": _text()}
    return {"$schema": DIALECT, "title": "mbgate: tests.yaml", **top, "$defs": defs}


def schemas() -> dict[str, str]:
    """The files' names and texts."""
    made = {ROLES_SCHEMA: roles_schema(), OVERLAY_SCHEMA: overlay_schema(), TESTS_SCHEMA: tests_schema()}
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in made.items()}


def _role() -> Schema:
    return _record(
        "A role: who has it, where it lands, and what it may do. What no rule allows is denied.",
        {
            "description": _ref("text", "Who these people are, for reviewers."),
            "for": {"enum": list(WHOM), "description": "Whom the role is for; people where it isn't said."},
            "match": _list(_ref("match"), "Whose role it is: one entry must match.", most=MAX_MATCHES),
            "landing": _ref("text", "The page that refusals offer, as /dashboard/1; the role must be able to open it."),
            "session": _ref("session"),
            "metabase": _ref("metabase"),
            "allow": _list(_ref("allow"), "What the role may do.", most=MAX_RULES),
            "deny": _list(_ref("deny"), "What it may not do, whatever `allow` says.", least=0, most=MAX_RULES),
        },
        ("match", "metabase", "allow"),
    ) | {
        "if": {"properties": {"for": {"const": "machines"}}, "required": ["for"]},
        "then": {"properties": {"landing": False, "session": False}},
        "else": {"required": ["landing"]},
    }


def _issuers() -> Schema:
    return {
        "type": "object",
        "description": "Whose tokens are believed; without it, those of the identity provider in the stack's settings.",
        "propertyNames": {"pattern": _whole(ISSUER_NAME.pattern)},
        "additionalProperties": _ref("issuer"),
        "minProperties": 1,
        "maxProperties": MAX_ISSUERS,
    }


def _issuer() -> Schema:
    fields = {
        "url": _ref("text", "The `issuer` of its discovery document; without it, the stack's identity provider."),
        "client_id": _ref("text", "The gateway's client there: people sign in at this issuer."),
        "audience": _ref("text", "The audience that machines' bearer tokens must carry."),
    }
    return _record("Whose tokens are believed, and for whom they must be made.", fields, ())


def _session() -> Schema:
    docs = {
        "idle_minutes": "A sign-in that is unused for so long ends.",
        "absolute_minutes": "A sign-in ends after so long in any case.",
    }
    fields = {
        key: {"type": "integer", "minimum": least, "maximum": most, "description": docs[key]}
        for key, (least, most) in SESSION_MINUTES.items()
    }
    return _record("Limits that are shorter than the stack's.", fields, ()) | {"minProperties": 1}


def _approval() -> Schema:
    minutes = {"type": "integer", "minimum": 1, "maximum": MAX_MINUTES, "description": "How long a yes holds; 60."}
    by = _list(_ref("text"), "Roles whose people may approve; never the one who asks.") | {"uniqueItems": True}
    return _record("Somebody else must approve first.", {"by": by, "minutes": minutes}, ("by",))


def _claims_by_name() -> Schema:
    return {
        "type": "object",
        "propertyNames": {"pattern": _whole(PARAMETER.pattern), "not": {"enum": [*RESERVED_CLAIMS]}},
        "additionalProperties": {"allOf": [_ref("text")], "not": {"enum": [*RESERVED_CLAIMS, *UNTEXTUAL_CLAIMS]}},
        "minProperties": 1,
        "maxProperties": MAX_ENTRIES,
    }


def _match() -> Schema:
    claims = {
        "type": "object",
        "description": "Every one must be met. A text must equal the value, a list of texts must contain it.",
        "propertyNames": {"minLength": 1, "not": {"enum": [*RESERVED_CLAIMS, *UNTEXTUAL_CLAIMS]}},
        "additionalProperties": {
            "allOf": [_ref("text")],
            "pattern": r"^[^*?^\s]$|^[^*?^\s][^*?]*[^*?$\s]$",
            "description": "The whole value: matching is exact, without patterns.",
        },
        "minProperties": 1,
        "maxProperties": MAX_CLAIMS,
    }
    issuer = _ref("text", "One of `issuers`, or the provider's name in the stack's settings, as workforce.")
    return _record("One way to have the role.", {"issuer": issuer, "claims": claims}, ("issuer", "claims"))


def _metabase() -> Schema:
    collections = {
        "type": "object",
        "description": "Collection names, `root` for “Our analytics”, and what the group may do there.",
        "propertyNames": {"minLength": 1},
        "additionalProperties": {"enum": list(GRANTS)},
    }
    group = _ref("text", "A group of the role's own, which the deployment makes.")
    attributes = _ref("claims", "User attributes for row rules (Enterprise), each from a claim that people must have.")
    fields = {"group": group, "collections": collections, "attributes": attributes}
    return _record("What Metabase's own permissions give: the second line of defence.", fields, ("group",))


def _rule(doc: str, *, is_allow: bool) -> Schema:
    rule_id = {
        "type": "string",
        "pattern": _whole(RULE_ID.pattern),
        "description": "Names the rule in logs and answers; used once in the file.",
    }
    actions = _list(_ref("action"), "`mbgate policy actions` lists them.") | {"uniqueItems": True}
    fields = {"id": rule_id, "actions": actions, "on": _ref("on")}
    if is_allow:
        fields["requires_approval"] = _ref("approval")
        fields["locked"] = _ref("claims", "Parameters that are fixed to claims of the person who looks.")
    rule = _record(doc, fields, ("id", "actions"))
    return rule | {"allOf": [_needs(kinds, is_allow=is_allow) for kinds in _kind_sets()]}


def _kind_sets() -> list[tuple[str, ...]]:
    return sorted({action.kinds for action in ACTIONS.values() if action.kinds})


def _needs(kinds: tuple[str, ...], *, is_allow: bool) -> Schema:
    """What `on` must list where one of the actions of these kinds is named."""
    named = [name for name, action in ACTIONS.items() if action.kinds == kinds]
    listed = {"anyOf": [{"required": [f"{kind}s"]} for kind in kinds]}
    then: Schema = {"properties": {"on": listed}}
    if is_allow:
        then["required"] = ["on"]
    condition = {"properties": {"actions": {"contains": {"enum": named}}}, "required": ["actions"]}
    return {"if": condition, "then": then}


def _on() -> Schema:
    fields = {}
    for plural, kind in PLURALS.items():
        ids = _list(_ref("id"), f"Single {plural}.") | {"uniqueItems": True}
        doc = f"`all`, or the ids of {plural}; for actions about a {kind}."
        fields[plural] = {"description": doc, "anyOf": [{"const": ALL}, ids]}
    return _record("The resources.", fields, ()) | {"minProperties": 1, "maxProperties": len(KINDS)}


def _actions() -> Schema:
    named = [{"const": action.name, "description": _action_doc(action.name)} for action in ACTIONS.values()]
    return {"description": "An action.", "oneOf": named}


def _action_doc(name: str) -> str:
    action = ACTIONS[name]
    kinds = " or ".join(f"`{kind}s`" for kind in action.kinds)
    return f"{action.doc}{f' (needs {kinds} in `on`)' if kinds else ''}"


def _id() -> Schema:
    number = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
    written = {"type": "string", "pattern": _whole(NUMERIC.pattern)}
    entity = {"type": "string", "pattern": _whole(ENTITY.pattern)}
    fields: Schema = {"id": {"anyOf": [number, written]}, "entity_id": entity}
    pair = _record("One resource by both ids.", fields, ("id", "entity_id"))
    doc = "A number as in Metabase's addresses, an entity id of 21 characters, or both."
    return {"description": doc, "anyOf": [number, written, entity, pair]}


def _person_claims() -> Schema:
    value = {"anyOf": [_ref("text"), {"type": "array", "items": _ref("text")}]}
    doc = "Claims as the provider sends them: texts, or lists of texts."
    return {"type": "object", "description": doc, "additionalProperties": value}


def _test() -> Schema:
    entries = {"type": "array", "items": _ref("expectation"), "minItems": 1}
    fields = {
        "as": _ref("text", "One of `people`."),
        "allow": entries | {"description": "Requests that must be let through."},
        "deny": entries | {"description": "Requests that must be refused."},
    }
    return _record("What one person may and may not do.", fields, ("as",))


def _expectation() -> Schema:
    request = {"type": "string", "pattern": _whole(REQUEST.pattern), "description": "`METHOD PATH`."}
    database = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": _whole(NUMERIC.pattern)}]}
    native = {"type": "boolean", "description": "Whether the body holds SQL."}
    query = _record("What the body asks.", {"native": native, "database": database}, ("native", "database"))
    reason = {"enum": list(get_args(Reason)), "description": "The reason that must be given."}
    fields = {"request": request, "query": {"anyOf": [{"const": "unreadable"}, query]}, "reason": reason}
    return {"anyOf": [request, _record("A request and more.", fields, ("request",))]}


def _version() -> Schema:
    return {"enum": [1, "1"], "description": "The language's version: 1."}


def _text() -> Schema:
    return {"type": "string", "pattern": r"\S"}


def _ref(name: str, doc: str | None = None) -> Schema:
    return {"$ref": f"#/$defs/{name}"} | ({"description": doc} if doc else {})


def _list(items: Schema, doc: str, *, least: int = 1, most: int | None = None) -> Schema:
    bounds = {"minItems": least} | ({"maxItems": most} if most else {})
    return {"type": "array", "description": doc, "items": items, **bounds}


def _record(doc: str, fields: Schema, required: tuple[str, ...]) -> Schema:
    return {
        "type": "object",
        "description": doc,
        "properties": fields,
        "required": list(required),
        "additionalProperties": False,
    }


def _whole(pattern: str) -> str:
    """JSON Schema searches, the loader matches all of a text."""
    return f"^(?:{pattern})$"
