"""A Worker answers at its own hostname only: at workers.dev it would be open beside everything that stands in front."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Resource, ResourceGuardrail, Said, wrong

WORKER = "cloudflare:Worker"
SUBDOMAIN = "cloudflare:WorkersScriptSubdomain"


def judge(resource: Resource) -> Iterator[Said]:
    """Both must be off in so many words: left out, Cloudflare decides."""
    prefix = "subdomain." if resource.kind == WORKER else ""
    if resource.get(f"{prefix}enabled") is not False:
        yield wrong(resource, "answers at workers.dev", f"set `{prefix}enabled=False`")
    if resource.get(f"{prefix}previewsEnabled") is not False:
        yield wrong(resource, "answers at preview URLs of workers.dev", f"set `{prefix}previews_enabled=False`")


GUARDRAIL = ResourceGuardrail(
    name="no-workers-dev",
    description="No Worker answers at workers.dev or at preview URLs.",
    kinds=(WORKER, SUBDOMAIN),
    judge=judge,
)
