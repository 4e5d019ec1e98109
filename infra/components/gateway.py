"""The gateway Worker: bindings, custom domain and the cron trigger that refreshes public keys."""

from __future__ import annotations

import pulumi
import pulumi_cloudflare as cloudflare

from infra.naming import resource_name as named
from infra.render.bundle import Bundle
from infra.settings import Settings

from .keys import Keys
from .tunnel import PrivatePath
from .worker import WorkerDeployment, secret_text

KEY_REFRESH = "*/15 * * * *"


class Gateway(pulumi.ComponentResource):
    """The public Worker. Its custom domain makes the DNS record and the certificate. Output: `version_id`."""

    version_id: pulumi.Output[str]

    def __init__(
        self,
        settings: Settings,
        *,
        bundle: pulumi.Input[Bundle],
        keys: Keys,
        path: PrivatePath,
        broker_name: pulumi.Output[str],
        client_secret: pulumi.Output[str] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mbgate:components:Gateway", "gateway", None, opts)
        child = pulumi.ResourceOptions(parent=self)
        account_id, name = settings.cloudflare.account_id, named(settings.stack, "gateway")
        namespace = cloudflare.WorkersKvNamespace(
            "keys", account_id=account_id, title=named(settings.stack, "keys"), opts=child
        )
        worker = WorkerDeployment(
            "gateway",
            account_id=account_id,
            script_name=name,
            bundle=bundle,
            main_module="gateway.js",
            bindings=[
                secret_text("SESSION_KEY_CURRENT", keys.session.current),
                secret_text("SESSION_KEY_PREVIOUS", keys.session.previous),
                secret_text("ASSERTION_KEY_CURRENT", keys.assertion.current),
                secret_text("ASSERTION_KEY_PREVIOUS", keys.assertion.previous),
                *([secret_text("OIDC_CLIENT_SECRET", client_secret)] if client_secret is not None else []),
                {"name": "KEYS", "type": "kv_namespace", "namespace_id": namespace.id},
                {"name": "BROKER", "type": "service", "service": broker_name},
                {
                    "name": "AUDIT",
                    "type": "analytics_engine",
                    "dataset": named(settings.stack, "audit").replace("-", "_"),
                },
                {"name": "VERSION", "type": "version_metadata"},
                *path.bindings,
            ],
            opts=child,
        )
        cloudflare.WorkersCustomDomain(
            "gateway",
            account_id=account_id,
            zone_id=settings.cloudflare.zone_id,
            hostname=settings.gateway.hostname,
            service=worker.name,
            # A domain is known by its hostname: made anew under the old one's id, it would be deleted after.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        cloudflare.WorkersCronTrigger(
            "key-refresh",
            account_id=account_id,
            script_name=worker.name,
            schedules=[{"cron": KEY_REFRESH}],
            opts=child,
        )
        self.version_id = worker.version_id
        self.register_outputs({"versionId": self.version_id})
