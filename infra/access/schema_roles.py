"""The JSON Schema of `roles.yaml`, and the parts of it that overlays use too."""

from __future__ import annotations

from .actions import ACTIONS, KINDS, PLURALS
from .conditions import MAX_ENTRIES, MAX_MINUTES, PARAMETER
from .ids import ENTITY, NUMERIC
from .issuers import MAX_ISSUERS
from .issuers import NAME as ISSUER_NAME
from .match import EVERYBODY, MAX_CLAIMS, MAX_MATCHES, RESERVED_CLAIMS, UNTEXTUAL_CLAIMS
from .roles import AUDIENCES, GRANTS, MAX_ROLES, MAX_RULES, ROLE, ROLE_LENGTH, SESSION_MINUTES
from .rules import ALL
from .rules import ID as RULE_ID
from .schema_terms import DIALECT, Schema, listed, record, ref, text, version, whole

LARGEST_ID = 9_999_999_999


def roles_schema() -> Schema:
    """The schema of `roles.yaml`."""
    roles = {
        "type": "object",
        "description": "Role names and roles; a person has the one role that their claims match.",
        "propertyNames": {"pattern": whole(ROLE.pattern), "maxLength": ROLE_LENGTH},
        "additionalProperties": {"$ref": "#/$defs/role"},
        "minProperties": 1,
        "maxProperties": MAX_ROLES,
    }
    fields = {"version": version(), "issuers": _issuers(), "roles": roles}
    top = record("Who may do what in Metabase.", fields, ("version", "roles"))
    return {"$schema": DIALECT, "title": "mbgate: roles.yaml", **top, "$defs": role_defs()}


def role_defs() -> Schema:
    """The definitions to which schemas refer."""
    return {
        "role": role_schema(),
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
        "text": text(),
    }


def role_schema() -> Schema:
    """One role."""
    return record(
        "A role: who has it, where it lands, and what it may do. What no rule allows is denied.",
        {
            "description": ref("text", "Who these people are, for reviewers."),
            "for": {"enum": list(AUDIENCES), "description": "Whom the role is for; people where it isn't said."},
            "match": listed(ref("match"), "Whose role it is: one entry must match.", most=MAX_MATCHES),
            "landing": ref("text", "The page that refusals offer, as /dashboard/1; the role must be able to open it."),
            "session": ref("session"),
            "metabase": ref("metabase"),
            "allow": listed(ref("allow"), "What the role may do.", most=MAX_RULES),
            "deny": listed(ref("deny"), "What it may not do, whatever `allow` says.", least=0, most=MAX_RULES),
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
        "propertyNames": {"pattern": whole(ISSUER_NAME.pattern)},
        "additionalProperties": ref("issuer"),
        "minProperties": 1,
        "maxProperties": MAX_ISSUERS,
    }


def _issuer() -> Schema:
    fields = {
        "url": ref("text", "The `issuer` of its discovery document; without it, the stack's identity provider."),
        "client_id": ref("text", "The gateway's client there: people sign in at this issuer."),
        "audience": ref("text", "The audience that machines' bearer tokens must carry."),
    }
    return record("Whose tokens are believed, and for whom they must be made.", fields, ())


def _session() -> Schema:
    docs = {
        "idle_minutes": "A sign-in that is unused for so long ends.",
        "absolute_minutes": "A sign-in ends after so long in any case.",
    }
    fields = {
        key: {"type": "integer", "minimum": least, "maximum": most, "description": docs[key]}
        for key, (least, most) in SESSION_MINUTES.items()
    }
    return record("Limits that are shorter than the stack's.", fields, ()) | {"minProperties": 1}


def _approval() -> Schema:
    minutes = {"type": "integer", "minimum": 1, "maximum": MAX_MINUTES, "description": "How long a yes holds; 60."}
    by = listed(ref("text"), "Roles whose people may approve; never the one who asks.") | {"uniqueItems": True}
    return record("Somebody else must approve first.", {"by": by, "minutes": minutes}, ("by",))


def _claims_by_name() -> Schema:
    return {
        "type": "object",
        "propertyNames": {"pattern": whole(PARAMETER.pattern), "not": {"enum": [*RESERVED_CLAIMS]}},
        "additionalProperties": {"allOf": [ref("text")], "not": {"enum": [*RESERVED_CLAIMS, *UNTEXTUAL_CLAIMS]}},
        "minProperties": 1,
        "maxProperties": MAX_ENTRIES,
    }


def _match() -> Schema:
    claims = {
        "type": "object",
        "description": "Every one must be met. A text must equal the value, a list of texts must contain it.",
        "propertyNames": {"minLength": 1, "not": {"enum": [*RESERVED_CLAIMS, *UNTEXTUAL_CLAIMS, *EVERYBODY]}},
        "additionalProperties": {
            "allOf": [ref("text")],
            "pattern": r"^[^*?^\s]$|^[^*?^\s][^*?]*[^*?$\s]$",
            "description": "The whole value: matching is exact, without patterns.",
        },
        "minProperties": 1,
        "maxProperties": MAX_CLAIMS,
    }
    issuer = ref("text", "One of `issuers`, or the provider's name in the stack's settings, as workforce.")
    return record("One way to have the role.", {"issuer": issuer, "claims": claims}, ("issuer", "claims"))


def _metabase() -> Schema:
    collections = {
        "type": "object",
        "description": "Collection names, `root` for “Our analytics”, and what the group may do there.",
        "propertyNames": {"minLength": 1},
        "additionalProperties": {"enum": list(GRANTS)},
    }
    group = ref("text", "A group of the role's own, which the deployment makes.")
    attributes = ref("claims", "User attributes for row rules (Enterprise), each from a claim that people must have.")
    fields = {"group": group, "collections": collections, "attributes": attributes}
    return record("What Metabase's own permissions give: the second line of defence.", fields, ("group",))


def _rule(doc: str, *, is_allow: bool) -> Schema:
    rule_id = {
        "type": "string",
        "pattern": whole(RULE_ID.pattern),
        "description": "Names the rule in logs and answers; used once in the file.",
    }
    actions = listed(ref("action"), "`mbgate policy actions` lists them.") | {"uniqueItems": True}
    fields = {"id": rule_id, "actions": actions, "on": ref("on")}
    if is_allow:
        fields["requires_approval"] = ref("approval")
        fields["locked"] = ref("claims", "Parameters that are fixed to claims of the person who looks.")
    rule = record(doc, fields, ("id", "actions"))
    return rule | {"allOf": [_needs(kinds, is_allow=is_allow) for kinds in _kind_sets()]}


def _kind_sets() -> list[tuple[str, ...]]:
    return sorted({action.kinds for action in ACTIONS.values() if action.kinds})


def _needs(kinds: tuple[str, ...], *, is_allow: bool) -> Schema:
    """What `on` must list where one of the actions of these kinds is named."""
    named = [name for name, action in ACTIONS.items() if action.kinds == kinds]
    wanted = {"anyOf": [{"required": [f"{kind}s"]} for kind in kinds]}
    then: Schema = {"properties": {"on": wanted}}
    if is_allow:
        then["required"] = ["on"]
    condition = {"properties": {"actions": {"contains": {"enum": named}}}, "required": ["actions"]}
    return {"if": condition, "then": then}


def _on() -> Schema:
    fields = {}
    for plural, kind in PLURALS.items():
        ids = listed(ref("id"), f"Single {plural}.") | {"uniqueItems": True}
        doc = f"`all`, or the ids of {plural}; for actions about a {kind}."
        fields[plural] = {"description": doc, "anyOf": [{"const": ALL}, ids]}
    return record("The resources.", fields, ()) | {"minProperties": 1, "maxProperties": len(KINDS)}


def _actions() -> Schema:
    named = [{"const": action.name, "description": _action_doc(action.name)} for action in ACTIONS.values()]
    return {"description": "An action.", "oneOf": named}


def _action_doc(name: str) -> str:
    action = ACTIONS[name]
    kinds = " or ".join(f"`{kind}s`" for kind in action.kinds)
    return f"{action.doc}{f' (needs {kinds} in `on`)' if kinds else ''}"


def _id() -> Schema:
    number = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
    written = {"type": "string", "pattern": whole(NUMERIC.pattern)}
    entity = {"type": "string", "pattern": whole(ENTITY.pattern)}
    fields: Schema = {"id": {"anyOf": [number, written]}, "entity_id": entity}
    pair = record("One resource by both ids.", fields, ("id", "entity_id"))
    doc = "A number as in Metabase's addresses, an entity id of 21 characters, or both."
    return {"description": doc, "anyOf": [number, written, entity, pair]}
