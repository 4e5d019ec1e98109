"""Metabase's own side of the policies: first boot, a group per role, collection and data permissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from infra.access.actions import ADHOC, NATIVE
from infra.access.model import ANY, Policies, Role, Rule
from infra.metabase.hardening import HARDENED
from infra.metabase.resources import (
    GeneratedKey,
    MetabaseGroup,
    MetabasePermissions,
    MetabaseSettings,
    MetabaseSetup,
    Place,
)
from infra.naming import resource_name as named
from infra.settings import Settings


class MetabaseAccess(pulumi.ComponentResource):
    """Sets Metabase up, hardens it, and makes its permissions say what the policies say.

    `after` is what must be there before Metabase can be reached.

    Outputs: `api_key` (secret, for the broker alone) and `group_ids` (role → Metabase group ids).
    """

    api_key: pulumi.Output[str]
    group_ids: pulumi.Output[dict[str, list[int]]]

    def __init__(
        self,
        settings: Settings,
        *,
        policies: Policies,
        admin_password: GeneratedKey,
        place: Place,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mbgate:components:MetabaseAccess", "metabase-access", None, opts)
        child = pulumi.ResourceOptions(parent=self)
        setup = MetabaseSetup(
            "metabase-setup",
            place=place,
            admin_email=settings.metabase.admin_email,
            admin_password=admin_password.current,
            site_name=settings.metabase.site_name,
            key_name=named(settings.stack, "broker"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )
        self.api_key = pulumi.Output.secret(setup.api_key)
        MetabaseSettings(
            "settings",
            place=place,
            api_key=self.api_key,
            values={**HARDENED, "site-name": settings.metabase.site_name, "site-url": settings.gateway.url},
            opts=child,
        )
        grants = {role.name: role.metabase for role in policies.roles if role.metabase is not None}
        levels = {role.name: data_levels(role) for role in policies.roles}
        groups = {
            name: MetabaseGroup(f"group-{name}", place=place, api_key=self.api_key, name=grant.group, opts=child)
            for name, grant in grants.items()
        }
        MetabasePermissions(
            "permissions",
            place=place,
            api_key=self.api_key,
            collections={grant.group: dict(grant.collections) for grant in grants.values()},
            data={grant.group: levels[name] for name, grant in grants.items()},
            group_ids={name: group.group_id for name, group in groups.items()},
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(groups.values())),
        )
        self.group_ids = pulumi.Output.all(**{name: group.group_id for name, group in groups.items()}).apply(_as_lists)
        self.register_outputs({})


def data_levels(role: Role) -> dict[str, str]:
    """Metabase's `create-queries` level by database id, `*` for all others (permissions graph, open source).

    Metabase enforces what the edge can't see: routes of tables and fields, which name no database. So a rule that holds
    only with an approval gives nothing here: the right would be there without one.
    """
    named = {i for rule in _plain(role) for i in _databases(rule) if i != ANY}
    return {database: _level(role, database) for database in sorted({*named, ANY})}


def _plain(role: Role) -> list[Rule]:
    return [rule for rule in role.allow if rule.requires_approval is None and rule.locked is None]


def _level(role: Role, database: str) -> str:
    for action, level in ((NATIVE, "query-builder-and-native"), (ADHOC, "query-builder")):
        allowed = any(action in rule.actions and {database, ANY} & _databases(rule) for rule in _plain(role))
        # A deny of any database is taken for all: Metabase may be stricter than the edge, never wider.
        denied = any(action in rule.actions for rule in role.deny)
        if allowed and not denied:
            return level
    return "no"


def _databases(rule: Rule) -> set[str]:
    chosen = (rule.on or {}).get("database", ())
    return {chosen} if isinstance(chosen, str) else set(chosen)


def _as_lists(ids: Mapping[str, float]) -> dict[str, list[int]]:
    return {name: [int(group_id)] for name, group_id in ids.items()}
