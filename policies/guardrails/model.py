"""What guardrails see and say: resources with their inputs, and verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What `limits.yaml` says."""

    session_idle_seconds: int
    session_absolute_seconds: int
    development_stacks: tuple[str, ...]


@cache
def read_limits(path: Path | None = None) -> Limits:
    """The limits of a file, or of `limits.yaml`; raises TypeError where one is missing or unknown."""
    values = yaml.safe_load((path or Path(__file__).with_name("limits.yaml")).read_text())
    return Limits(**{**values, "development_stacks": tuple(values["development_stacks"])})


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """A value that nobody knows before the deployment."""

    is_secret: bool = False


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A Pulumi secret. `value` is None where it can't be read, as in a state without its passphrase."""

    value: Any = field(repr=False)


class NotYetKnown(Exception):
    """The judgement needs a value that is unknown before the deployment, or hidden from who judges."""

    def __init__(self, path: str, why: str = "since nobody knows before the deployment") -> None:
        super().__init__(f"{path}: {why}")
        self.path, self.why = path, why


class Unreadable(Exception):
    """A resource isn't in the form that the deployment gives it, so nobody can tell what it does."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Resource:
    """One resource as the program declares it."""

    urn: str
    type: str
    inputs: Mapping[str, Any] = field(repr=False)
    """Plain values, in which `Unknown` and `Secret` stand for themselves."""
    protect: bool = False
    uses: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)
    """Input → URNs of the resources of which it is made. Known even where their outputs aren't."""

    @property
    def name(self) -> str:
        """Its name in the program."""
        return self.urn.split("::")[-1]

    @property
    def stack(self) -> str:
        """The name of its stack."""
        return self.urn.removeprefix("urn:pulumi:").split("::")[0]

    @property
    def kind(self) -> str:
        """Package and class, such as `cloudflare:Worker`."""
        return f"{self.type.split(':')[0]}:{self.type.split(':')[-1]}"

    def get(self, path: str) -> Any:
        """The input at a path such as `observability.logs.enabled`, without secrecy; None where there is none.

        Raises NotYetKnown where it or something around it is unknown.
        """
        return dig(self.inputs, path)

    def items(self, path: str) -> list[Any]:
        """The list at a path; empty where there is none. Its items may be unknown."""
        found = self.get(path)
        return list(found) if isinstance(found, list | tuple) else [] if found is None else [found]


def dig(value: Any, path: str, prefix: str = "") -> Any:
    """`Resource.get` for any value; `prefix` names the value in what is raised."""
    walked = prefix
    for step in path.split(".") if path else []:
        value = known(value, walked)
        if not isinstance(value, Mapping):
            return None
        value, walked = value.get(step), f"{walked}.{step}" if walked else step
    return known(value, walked)


def known(value: Any, path: str) -> Any:
    """The value without secrecy. Raises NotYetKnown, with its path, where it is unknown or hidden."""
    if isinstance(value, Secret):
        if value.value is None:
            raise NotYetKnown(path, "since secrets can't be read here")
        value = value.value
    if isinstance(value, Unknown):
        raise NotYetKnown(path)
    return value


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a guardrail has to say of one resource, or with None of the stack. Nothing said is nothing wrong."""

    resource: Resource | None
    message: str
    """What is wrong, on what, and what to do; for `is_unjudged`, why."""
    is_unjudged: bool = False
    """True where the judgement must wait for the deployment."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A value that a judgement waits for; what guardrails yield of it becomes one verdict a resource."""

    resource: Resource
    path: str
    why: str


Said = Verdict | Waiting


def settled(said: Iterable[Said]) -> list[Verdict]:
    """The violations, each once, then one verdict for each resource that can't be judged wholly."""
    violations: dict[Verdict, None] = {}
    waiting: dict[tuple[Resource, str], dict[str, None]] = {}
    for one in said:
        if isinstance(one, Waiting):
            waiting.setdefault((one.resource, one.why), {})[f"`{one.path}`"] = None
        else:
            violations[one] = None
    return [
        *violations,
        *(
            Verdict(
                resource=resource,
                message=f"{resource.kind} `{resource.name}` can't be judged yet, {why}: {', '.join(paths)}",
                is_unjudged=True,
            )
            for (resource, why), paths in waiting.items()
        ),
    ]


def wrong(resource: Resource, problem: str, remedy: str) -> Verdict:
    """A violation: `{kind} `{name}` {problem}: {remedy}`."""
    return Verdict(resource=resource, message=f"{resource.kind} `{resource.name}` {problem}: {remedy}")


class Stack:
    """All resources of a stack."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources = tuple(resources)
        self._by_urn = {resource.urn: resource for resource in self.resources}

    def of(self, *kinds: str) -> list[Resource]:
        """The resources of these kinds, such as `docker:Container`."""
        return [resource for resource in self.resources if resource.kind in kinds]

    def used_by(self, resource: Resource, path: str, *kinds: str) -> list[Resource]:
        """The resources of these kinds of which an input is made."""
        found = (self._by_urn.get(urn) for urn in sorted(resource.uses.get(path, ())))
        return [one for one in found if one is not None and one.kind in kinds]

    @cached_property
    def is_demo(self) -> bool:
        """True where Cloudflare's API is on this machine: such a stack can't reach anything real."""
        providers = [one for one in self.resources if one.type == "pulumi:providers:cloudflare"]
        urls = [one.inputs.get("baseUrl") for one in providers]
        return bool(urls) and all(isinstance(url, str) and urlsplit(url).hostname in LOOPBACK for url in urls)

    def is_production(self, limits: Limits) -> bool:
        """True unless it is the demo, or a stack that the limits name as one for development."""
        names = {resource.stack for resource in self.resources}
        is_development = any(fnmatchcase(name, wanted) for name in names for wanted in limits.development_stacks)
        return not self.is_demo and not is_development


Judge = Callable[[Resource], Iterator[Said]]


def each(judge: Judge, resources: Iterable[Resource]) -> Iterator[Said]:
    """Judges each resource; what one of them doesn't tell yet keeps nothing back of the others."""
    for resource in resources:
        try:
            yield from judge(resource)
        except Unreadable as fault:
            yield wrong(resource, str(fault), "deploy what the project's templates make")
        except NotYetKnown as unknown:
            yield Waiting(resource=resource, path=unknown.path, why=unknown.why)


@dataclass(frozen=True, kw_only=True)
class ResourceGuardrail:
    """A rule that each resource of some kinds keeps by itself. It is judged before the resource is made."""

    name: str
    description: str
    """One sentence: what holds in every stack."""
    kinds: tuple[str, ...]
    judge: Judge

    def run(self, stack: Stack) -> list[Verdict]:
        """Judges the whole stack."""
        return settled(each(self.judge, stack.of(*self.kinds)))


@dataclass(frozen=True, kw_only=True)
class StackGuardrail:
    """A rule about several resources together."""

    name: str
    description: str
    judge: Callable[[Stack, Limits], Iterator[Said]]

    def run(self, stack: Stack) -> list[Verdict]:
        """Judges the whole stack."""
        return settled(self.judge(stack, read_limits()))


Guardrail = ResourceGuardrail | StackGuardrail
