"""The stack's settings and the policies: every fault, before the engine meets the first."""

from __future__ import annotations

import difflib

from infra.access.load import load_policies
from infra.errors import Fault, MbgateError, SettingsError
from infra.settings import NAMESPACE, SECRET, SECTIONS, hint
from infra.settings.identity import agreed
from infra.settings.sections import camel

from .model import Finding, Found, error, from_error, from_fault, ok
from .subject import Subject


def file(subject: Subject) -> Found:
    """Whether the stack has a settings file that can be read."""
    if subject.file is None:
        assert subject.problem is not None  # noqa: S101 - one of both is set
        return from_error(subject.problem, f"make it: mbgate init {subject.stack}")
    return [ok(str(subject.file.path)), *_unknown(subject)]


def _unknown(subject: Subject) -> list[Finding]:
    place = f"in `Pulumi.{subject.stack}.yaml` is no setting, so that `pulumi up` would refuse it"
    keys = subject.file.unknown if subject.file else []
    return [error("setting-unknown", f"`{key}` {place}", hint(key)) for key in keys]


def values(subject: Subject) -> Found:
    """Every value: what was never filled in, and what is wrong."""
    assert subject.file is not None  # noqa: S101 - `settings.file` comes first
    placeholders = subject.file.placeholders()
    found = [
        error(
            "setting-placeholder",
            f"`{NAMESPACE}:{p.section}.{p.key}` still holds the sample's `{p.value}`",
            f"put your own value into `Pulumi.{subject.stack}.yaml`, or answer: mbgate init {subject.stack}",
        )
        for p in placeholders
    ]
    faults = subject.problem.faults if isinstance(subject.problem, SettingsError) else ()
    told = {p.path for p in placeholders}
    found += [from_fault(fault, _help(fault)) for fault in faults if fault.path not in told]
    return found or ok("every setting can be used")


def _help(fault: Fault) -> str:
    """What the setting means, which is the best hint on how to mend it."""
    section, _, key = (fault.path or "").removeprefix(f"$.config.{NAMESPACE}:").partition(".")
    model = next((m for name, m in SECTIONS.items() if camel(name) == section), None)
    if model is None:
        return f"mend what it names in `{fault.file}`"
    fields = {camel(name): field for name, field in model.model_fields.items()}
    if key in fields and fields[key].description:
        return f"it means: {fields[key].description}"
    near = difflib.get_close_matches(key, fields, 1)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"`{NAMESPACE}:{section}` takes: {', '.join(fields)}"


def secret(subject: Subject) -> Found:
    """The client secret: there, and encrypted."""
    assert subject.file is not None  # noqa: S101 - `settings.file` comes first
    set_it = f"pulumi config set --secret {NAMESPACE}:{SECRET} --stack {subject.stack}"
    state = subject.file.secret_state()
    if state == "set":
        return ok(f"`{NAMESPACE}:{SECRET}` is set, encrypted")
    if state == "clear":
        text = f"`{NAMESPACE}:{SECRET}` stands in `{subject.file.path.name}` in clear"
        return error("secret-in-clear", text, f"have the provider issue another, then: {set_it}")
    if subject.is_local:
        return ok("`make demo` makes it")
    return error("secret-missing", f"`{NAMESPACE}:{SECRET}` is not set", f"{set_it}; it asks for the value")


def policies(subject: Subject) -> Found:
    """The policies as they hold in this stack, and that its settings say the same of identity."""
    try:
        environment = subject.overlay()
        found = load_policies(subject.policies, environment)
        if subject.settings is not None and not subject.has_stand_ins("identity"):
            agreed(subject.settings, found)
    except SettingsError as problem:
        return from_error(problem, f"mend `Pulumi.{subject.stack}.yaml` or the policies' `issuers`")
    except MbgateError as problem:
        return from_error(problem, "run `mbgate policy check`")
    told = f" in environment `{environment}`" if environment else ""
    return ok(f"{len(found.roles)} roles, {len(found.catalogue.routes)} routes{told}")
