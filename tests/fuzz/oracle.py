"""What the policies declare, read as simply as possible: slow, and written without the code that it judges.

It goes over a decision table's rules and routes directly. Where a rule or role has a key that makes a grant conditional
(`requires_approval`, `locked`, `attributes`), the rule alone gives nothing here, which is what the language says of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Rules = Sequence[Mapping[str, Any]]
PLAIN = frozenset(" !\"$&'()*+,-.:<=>@[]^_`{|}~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""What one party can't take for a separator, an escape or an ending, and another not; `/` and `%` are read apart."""
HEX = "0123456789abcdefABCDEF"


def parts_of(path: object) -> list[str] | None:
    """A path's segments; None where two parties could read it differently."""
    if not isinstance(path, str) or path[:1] != "/":
        return None
    rest = path[1:]
    while rest:
        if rest[0] == "%":
            if len(rest) < 3 or rest[1] not in "89abcdefABCDEF" or rest[2] not in HEX:
                return None
            rest = rest[3:]
        elif rest[0] in PLAIN or rest[0] == "/":
            rest = rest[1:]
        else:
            return None
    parts = path.split("/")[1:]
    if parts[-1] == "":
        parts = parts[:-1]
    return None if {"", ".", ".."} & set(parts) else parts


def routes_of(table: Mapping[str, Any], method: str, parts: Sequence[str]) -> list[Mapping[str, Any]]:
    """Every route that a request fits, the most specific first: per segment a literal, then a name, then the rest."""
    fitting = []
    for route in table["routes"]:
        if route["method"] == ("GET" if method == "HEAD" else method):
            rank = _fit(route["path"].split("/")[1:] if route["path"] != "/" else [], parts)
            if rank is not None:
                fitting.append((rank, route))
    return [route for _, route in sorted(fitting, key=lambda pair: pair[0])]


def _fit(pattern: Sequence[str], parts: Sequence[str]) -> str | None:
    if not pattern or not parts:
        return None if pattern or parts else ""
    if pattern[0] == "*":
        return "c"
    if pattern[0][0] == ":":
        rank = "b"
    elif pattern[0] == parts[0]:
        rank = "a"
    else:
        return None
    below = _fit(pattern[1:], parts[1:])
    return None if below is None else rank + below


def roles_of(table: Mapping[str, Any], principal: Mapping[str, Any]) -> list[str]:
    """Every role that the principal has."""
    found = []
    for name, role in table["roles"].items():
        kind = {"people": "person", "machines": "machine"}[role["for"]] if "for" in role else None
        is_of_kind = kind is None or principal.get("kind", "person") == kind
        if is_of_kind and any(_is_member(entry, principal) for entry in role["match"]):
            found.append(name)
    return found


def _is_member(entry: Mapping[str, Any], principal: Mapping[str, Any]) -> bool:
    claims = principal.get("claims")
    if not isinstance(claims, dict) or principal.get("issuer") != entry["issuer"]:
        return False
    for name, value in entry["claims"].items():
        claim = claims.get(name)
        texts = [claim] if isinstance(claim, str) else claim
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts) or value not in texts:
            return False
    return True


def target_of(table: Mapping[str, Any], route: Mapping[str, Any], request: Mapping[str, Any]) -> tuple[list[str], Any]:
    """The actions that a request takes and the resource (kind, id) or None that it takes them on."""
    actions = list(route["actions"])
    if route["body"] is not None:
        query = request["query"]
        if query["native"] is not False:
            actions = ["query:native" if action == "query:adhoc" else action for action in actions]
        return actions, ("database", query["database"])
    if route["kind"] is None:
        return actions, None
    place = route["path"].split("/").index(f":{route['kind']}")
    text = request["path"].split("/")[place]
    if route["form"] == "slug":
        return actions, (route["kind"], text.split("-")[0])
    return actions, (route["kind"], table["aliases"].get(route["kind"], {}).get(text, text))


def objections(table: Mapping[str, Any], principal: Mapping[str, Any], request: Mapping[str, Any]) -> list[str]:
    """Why the policies don't declare that this request may pass; nothing where they do."""
    parts = parts_of(request.get("path"))
    if parts is None:
        return ["the path can be read in two ways"]
    roles = roles_of(table, principal)
    if len(roles) != 1:
        return [f"{len(roles)} roles match"]
    role = table["roles"][roles[0]]
    attributes = ((role.get("metabase") or {}).get("attributes") or {}).values()
    found = [f"no text for {name}" for name in attributes if not isinstance(principal["claims"].get(name), str)]
    routes = routes_of(table, request["method"], parts)
    if not routes or routes[0].get("blocked"):
        return [*found, "no route, or a blocked one"]
    if routes[0]["body"] is not None and not _is_query(request.get("query")):
        return [*found, "the body is no query"]
    actions, resource = target_of(table, routes[0], request)
    found += ["no action"] if not actions else []
    found += [f"the id {resource[1]} has no known form"] if resource and not _is_id(resource[1]) else []
    for action in actions:
        found += [f"{rule['id']} denies {action}" for rule in role["deny"] if _denies(rule, action, resource)]
        if not any(_grants(table, rule, action, resource) for rule in role["allow"]):
            found.append(f"nothing grants {action} on {resource}")
    return found


def _is_query(query: object) -> bool:
    return isinstance(query, dict) and query.get("native") in (True, False) and isinstance(query.get("database"), str)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 10 and (text == "0" or text[0] != "0")


def _is_id(text: str) -> bool:
    return _is_number(text) or (len(text) == 21 and text.isascii() and text.replace("-", "").replace("_", "").isalnum())


def _grants(table: Mapping[str, Any], rule: Mapping[str, Any], action: str, resource: Any) -> bool:
    if action not in rule["actions"] or rule.get("requires_approval") or rule.get("locked"):
        return False
    if resource is None or not table["actions"].get(action):
        return True
    ids = (rule.get("on") or {}).get(resource[0], [])
    return ids == "*" or resource[1] in list(ids)


def _denies(rule: Mapping[str, Any], action: str, resource: Any) -> bool:
    """An entity id without a number that the policies know could be any number that a rule lists."""
    if action not in rule["actions"]:
        return False
    if resource is None or rule.get("on") is None:
        return True
    ids = rule["on"].get(resource[0], [])
    return ids == "*" or resource[1] in list(ids) or (bool(ids) and not _is_number(resource[1]))
