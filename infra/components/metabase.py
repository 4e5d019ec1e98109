"""Metabase's own side of the policies: first boot, a group per role, collection and data permissions."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from infra.access.model import Policies
from infra.metabase.resources import GeneratedKey, MetabaseGroup, MetabasePermissions, MetabaseSetup
from infra.naming import resource_name as named
from infra.settings import Settings


class MetabaseAccess(pulumi.ComponentResource):
    """Sets Metabase up and makes its permissions say what the policies say.

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
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mbgate:components:MetabaseAccess", "metabase-access", None, opts)
        child = pulumi.ResourceOptions(parent=self)
        url = settings.metabase.admin_url
        setup = MetabaseSetup(
            "metabase-setup",
            url=url,
            admin_email=settings.metabase.admin_email,
            admin_password=admin_password.current,
            site_name=settings.metabase.site_name,
            key_name=named(settings.stack, "broker"),
            opts=child,
        )
        self.api_key = pulumi.Output.secret(setup.api_key)
        grants = {role.name: role.metabase for role in policies.roles if role.metabase is not None}
        levels = {role.name: data_level(role.allowed_actions) for role in policies.roles}
        groups = {
            name: MetabaseGroup(f"group-{name}", url=url, api_key=self.api_key, name=grant.group, opts=child)
            for name, grant in grants.items()
        }
        MetabasePermissions(
            "permissions",
            url=url,
            api_key=self.api_key,
            collections={grant.group: dict(grant.collections) for grant in grants.values()},
            data={grant.group: levels[name] for name, grant in grants.items()},
            group_ids={name: group.group_id for name, group in groups.items()},
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(groups.values())),
        )
        self.group_ids = pulumi.Output.all(**{name: group.group_id for name, group in groups.items()}).apply(_as_lists)
        self.register_outputs({})


def data_level(actions: frozenset[str]) -> str:
    """Metabase's `create-queries` level that matches a role's actions (permissions graph, open source)."""
    if "query:native" in actions:
        return "query-builder-and-native"
    return "query-builder" if "query:adhoc" in actions else "no"


def _as_lists(ids: Mapping[str, float]) -> dict[str, list[int]]:
    return {name: [int(group_id)] for name, group_id in ids.items()}
