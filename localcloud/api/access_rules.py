"""Selectors of Access rules: their fields, and the objects that they name.

Source: https://developers.cloudflare.com/cloudflare-one/access-controls/policies/#selectors
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

# Only what the local Access can judge: a selector that it would ignore must not look as if it were enforced.
SELECTORS: dict[str, frozenset[str]] = {
    "any_valid_service_token": frozenset(),
    "email": frozenset({"email"}),
    "email_domain": frozenset({"domain"}),
    "everyone": frozenset(),
    "group": frozenset({"id"}),
    "login_method": frozenset({"id"}),
    "oidc": frozenset({"claim_name", "claim_value", "identity_provider_id"}),
    "service_token": frozenset({"token_id"}),
}
REFERENCES = {
    ("group", "id"): "access_group",
    ("login_method", "id"): "access_idp",
    ("oidc", "identity_provider_id"): "access_idp",
    ("service_token", "token_id"): "access_token",
}


def check_rules(field: str, rules: list[Json]) -> None:
    """Raises ValueError unless each rule is one known selector with exactly its fields, all texts."""
    for index, rule in enumerate(rules):
        place = f"{field}[{index}]"
        if len(rule) != 1:
            raise ValueError(f"{place} must be exactly one selector")
        selector, fields = next(iter(rule.items()))
        if selector not in SELECTORS:
            raise ValueError(f"{place} has the unknown selector '{selector}'")
        wanted = SELECTORS[selector]
        texts = isinstance(fields, dict) and all(isinstance(v, str) and v for v in fields.values())
        if not texts or set(fields) != wanted:
            needs = ", ".join(sorted(wanted)) or "no fields"
            raise ValueError(f"{place}.{selector} needs {needs}")


def references(ruled: Json) -> Iterator[tuple[str, str]]:
    """Kind and id of each object that a stored group or policy names."""
    for rule in (*ruled["include"], *ruled["exclude"], *ruled["require"]):
        for selector, fields in rule.items():
            for field, value in fields.items():
                if (selector, field) in REFERENCES:
                    yield REFERENCES[selector, field], value
