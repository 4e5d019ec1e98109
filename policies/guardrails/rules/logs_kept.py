"""Who did what can be read later: Workers log every request, containers keep theirs within bounds."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Resource, ResourceGuardrail, Said, wrong

WORKER = "cloudflare:Worker"
LOGPUSH = "cloudflare:LogpushJob"


def judge(resource: Resource) -> Iterator[Said]:
    """The audit trail is in a Worker's logs, so a sampled or unkept log is a hole in it."""
    if resource.kind == WORKER:
        yield from _worker(resource)
    elif resource.kind == LOGPUSH:
        if resource.get("enabled") is not True:
            yield wrong(resource, "pushes no logs", "set `enabled=True`, or remove the job")
    else:
        yield from _container(resource)


def _worker(worker: Resource) -> Iterator[Said]:
    for part in ("observability", "observability.logs"):
        if worker.get(f"{part}.enabled") is not True:
            yield wrong(worker, f"has `{part}` off", f"set `{part}.enabled`: the audit trail is in it")
        elif worker.get(f"{part}.headSamplingRate") not in (None, 1):
            problem = f"keeps only a part of its logs (`{part}.head_sampling_rate`)"
            yield wrong(worker, problem, "set 1: the audit trail must be whole")
    if worker.get("observability.logs.persist") is False:
        yield wrong(worker, "keeps no logs (`observability.logs.persist`)", "set `persist=True`")


def _container(container: Resource) -> Iterator[Said]:
    driver = container.get("logDriver")
    if driver == "none":
        yield wrong(container, "keeps no logs", "set `log_driver` to `json-file`")
    # One that ends at once, as the one that gets the uploads does, writes next to nothing.
    if driver in (None, "json-file", "local") and container.get("mustRun") is not False:
        missing = [name for name in ("max-size", "max-file") if not (container.get("logOpts") or {}).get(name)]
        if missing:
            problem = f"keeps logs without a bound ({', '.join(missing)}), until the disk is full"
            yield wrong(container, problem, "set them in `log_opts`")


GUARDRAIL = ResourceGuardrail(
    name="logs-kept",
    description="Workers log every request and keep it; containers keep logs within bounds.",
    kinds=(WORKER, LOGPUSH, "docker:Container"),
    judge=judge,
)
