"""The broker Worker: no route, no hostname; the only holder of Metabase's admin key."""

from __future__ import annotations

import json

import pulumi

from infra.metabase.resources import GeneratedKey
from infra.naming import resource_name as named
from infra.render.bundle import Bundle
from infra.settings import Settings

from .metabase import MetabaseAccess
from .tunnel import PrivatePath
from .worker import WorkerDeployment, secret_text


def broker_worker(
    settings: Settings,
    *,
    bundle: Bundle,
    key: GeneratedKey,
    metabase: MetabaseAccess,
    assertion_key: GeneratedKey,
    path: PrivatePath,
    opts: pulumi.ResourceOptions,
) -> WorkerDeployment:
    """Deploys the broker with its bindings; it answers RPC over a service binding only."""
    return WorkerDeployment(
        "broker",
        account_id=settings.cloudflare.account_id,
        script_name=named(settings.stack, "broker"),
        bundle=bundle,
        main_module=bundle.main_module,
        bindings=[
            secret_text("METABASE_API_KEY", metabase.api_key),
            secret_text("BROKER_KEY", key.current),
            secret_text("ASSERTION_KEY", assertion_key.current),
            {
                "name": "GROUPS",
                "type": "json",
                "json": metabase.group_ids.apply(lambda g: json.dumps(g, sort_keys=True)),
            },
            *path.bindings,
        ],
        opts=opts,
    )
