"""Bodies of the Workers endpoints (https://developers.cloudflare.com/api/resources/workers/)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from .envelope import Strict

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_][a-z0-9_-]{0,62}$")]
Rate = Annotated[int | float, Field(ge=0, le=1)]
Date = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Flags = Annotated[list[str], Field(max_length=100)]


class Logs(Strict):
    """`observability.logs`"""

    enabled: bool = False
    head_sampling_rate: Rate = 1
    invocation_logs: bool = True
    persist: bool = True
    destinations: list[str] = []


class Traces(Strict):
    """`observability.traces`"""

    enabled: bool = False
    head_sampling_rate: Rate = 1
    persist: bool = True
    destinations: list[str] = []
    propagation_policy: Literal["authenticated", "accept"] | None = None


class Observability(Strict):
    """`observability`; the defaults are what Cloudflare fills in."""

    enabled: bool = False
    head_sampling_rate: Rate = 1
    logs: Logs = Logs()
    traces: Traces = Traces()


class Subdomain(Strict):
    """`subdomain`: workers.dev and preview URLs. Previews follow `enabled` unless set."""

    enabled: bool = False
    previews_enabled: bool | None = None

    def settled(self) -> dict[str, bool]:
        """Both switches."""
        previews = self.enabled if self.previews_enabled is None else self.previews_enabled
        return {"enabled": self.enabled, "previews_enabled": previews}


class TailConsumer(Strict):
    """`tail_consumers[]` of a Worker"""

    name: Name


class Worker(Strict):
    """Body of create and replace."""

    name: Name
    logpush: bool = False
    observability: Observability = Observability()
    subdomain: Subdomain = Subdomain()
    tags: list[str] = []
    tail_consumers: list[TailConsumer] = []


class Annotations(Strict):
    """What a deployer says about a version or a deployment."""

    message: str | None = Field(None, alias="workers/message", max_length=1000)
    tag: str | None = Field(None, alias="workers/tag", max_length=100)
    triggered_by: str | None = Field(None, alias="workers/triggered_by")


class Renamed(Strict):
    """`migrations.renamed_classes[]`"""

    source: str = Field(alias="from")
    to: str


class Step(Strict):
    """One migration of Durable Object classes; transfers from other Workers are not known here."""

    new_classes: list[str] = []
    new_sqlite_classes: list[str] = []
    renamed_classes: list[Renamed] = []
    deleted_classes: list[str] = []


class Migrations(Step):
    """`migrations`: one step, or several in `steps`."""

    old_tag: str | None = None
    new_tag: str | None = None
    steps: list[Step] = []


class Limits(Strict):
    """`limits`"""

    cpu_ms: int | None = Field(None, ge=1)
    subrequests: int | None = Field(None, ge=1)


class Placement(Strict):
    """`placement`"""

    mode: Literal["smart"]


class Version(Strict):
    """Body of a version."""

    main_module: str
    modules: list[dict[str, Any]]
    bindings: list[dict[str, Any]] = []
    compatibility_date: Date | None = None
    compatibility_flags: Flags = []
    annotations: Annotations = Annotations()
    usage_model: Literal["standard", "bundled", "unbound"] = "standard"
    migrations: Migrations | None = None
    limits: Limits | None = None
    placement: Placement | None = None


class Share(Strict):
    """`versions[]` of a deployment"""

    version_id: str
    percentage: int | float = Field(ge=0.01, le=100)


class Deployment(Strict):
    """Body of a deployment."""

    strategy: Literal["percentage"]
    versions: list[Share] = Field(min_length=1, max_length=2)
    annotations: Annotations = Annotations()


class ScriptTailConsumer(Strict):
    """`tail_consumers[]` of a script"""

    service: Name
    environment: str | None = None
    namespace: str | None = None


class Metadata(Strict):
    """The `metadata` part of a script's upload."""

    main_module: str
    bindings: list[dict[str, Any]] = []
    compatibility_date: Date | None = None
    compatibility_flags: Flags = []
    observability: Observability | None = None
    logpush: bool = False
    usage_model: Literal["standard", "bundled", "unbound"] = "standard"
    tail_consumers: list[ScriptTailConsumer] | None = None
    keep_bindings: list[str] = []
    annotations: Annotations = Annotations()
    migrations: Migrations | None = None
    limits: Limits | None = None
    placement: Placement | None = None
