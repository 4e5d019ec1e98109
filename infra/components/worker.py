"""A Worker with its version and deployment: the form that allows gradual roll-out and roll-back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_cloudflare as cloudflare

from infra.render.bundle import Bundle

COMPATIBILITY_DATE = "2026-11-01"
# Without it a request's signal never fires, and the origin goes on for a client that has left.
COMPATIBILITY_FLAGS = ("enable_request_signal",)


class WorkerDeployment(pulumi.ComponentResource):
    """Worker + WorkerVersion + WorkersDeployment at 100 %. `workers.dev` and preview URLs are off.

    Outputs: `name` (known once a version is deployed, so that what refers to it waits), `version_id`, `digest`.
    """

    name: pulumi.Output[str]
    version_id: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        account_id: str,
        script_name: str,
        bundle: pulumi.Input[Bundle],
        main_module: str,
        bindings: Sequence[dict[str, Any]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mbgate:components:WorkerDeployment", resource_name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        worker = cloudflare.Worker(
            resource_name,
            account_id=account_id,
            name=script_name,
            observability={
                "enabled": True,
                "head_sampling_rate": 1,
                "logs": {"enabled": True, "head_sampling_rate": 1, "invocation_logs": False},
            },
            subdomain={"enabled": False, "previews_enabled": False},
            opts=child,
        )
        modules = pulumi.Output.from_input(bundle).apply(lambda built: [m.as_upload() for m in built.modules])
        version = cloudflare.WorkerVersion(
            resource_name,
            account_id=account_id,
            worker_id=worker.id,
            main_module=main_module,
            modules=modules,
            bindings=bindings,
            compatibility_date=COMPATIBILITY_DATE,
            compatibility_flags=list(COMPATIBILITY_FLAGS),
            opts=child,
        )
        deployment = cloudflare.WorkersDeployment(
            resource_name,
            account_id=account_id,
            script_name=worker.name,
            strategy="percentage",
            versions=[{"percentage": 100, "version_id": version.id}],
            opts=child,
        )
        self.name = pulumi.Output.all(worker.name, deployment.id).apply(lambda both: both[0])
        self.version_id = version.id
        self.register_outputs({"name": self.name, "versionId": self.version_id})


def secret_text(name: str, text: pulumi.Input[str]) -> dict[str, Any]:
    """A secret binding; its text is a secret Output, so that it is encrypted in Pulumi's state."""
    return {"name": name, "type": "secret_text", "text": pulumi.Output.secret(text)}
