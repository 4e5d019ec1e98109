"""`recover`: brings state and cloud together again after a kill, so that the next `pulumi up` converges."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from infra.environments.engine import Engine
from infra.environments.toolchain import Report
from infra.errors import DeployError

from . import locks, parts, sides, stack
from .backend import Backend, locate, repair_files, torn_states
from .model import Found, Pending, Recovery, State, Update, Verdict
from .proof import Evidence, decide


def recover(engine: Engine, *, report: Report, assume_yes: bool = False, deep: bool = False) -> Recovery:
    """Finds what a killed update left, deletes lost objects that are provably this stack's, cleans the state.

    A healthy stack costs two reading commands of the engine, side by side; the cloud is only asked after an update
    that did not succeed, or with `deep`. What can't be proven is named in `unclaimed` and left alone unless
    `assume_yes`. Safe to run again, also after it was killed itself. Raises DeployError where an update may be running,
    the stack is unknown, no copy of a torn state can be read, or the cloud can't be asked.
    """
    backend = locate(engine)
    dead = locks.dead_locks(backend.folder, engine.stack) if backend.folder else []
    files = repair_files(engine, report)
    state, history = stack.read(engine)
    torn = torn_states(backend, engine.stack)
    evidence = _evidence(state, history, dead, is_torn=bool(torn))
    if not (evidence.is_interrupted or evidence.has_failed or deep):
        _remove(dead, report)
        return Recovery(stack=engine.stack, locks=tuple(map(str, dead)), files=files)
    stack.check_idle(engine, backend)
    with _alone(engine, backend):
        # Read again: nothing can change it from here on.
        state, history = stack.read(engine)
        evidence = _evidence(state, history, dead, is_torn=bool(torn))
        verdicts, gone, not_looked_up = _settle(engine, backend, evidence, assume_yes=assume_yes, report=report)
    # The dead engine's lock is part of the evidence: it goes when the cloud is clean.
    _remove(dead, report)
    unclaimed = [v for v in verdicts if v.action == "unclaimed"]
    for verdict in unclaimed:
        report(f"unclaimed: {verdict.found}: {verdict.reason}; delete it by hand or run `mbgate recover --yes`")
    is_settled = not _in_the_way(state, unclaimed)
    doubtful = _doubtful(evidence, gone)
    copy, refreshed = _clean(engine, state, doubtful, report) if is_settled else (None, ())
    for file in torn:
        stack.archive(engine, file)
    return Recovery(
        stack=engine.stack,
        locks=tuple(map(str, dead)),
        files=files,
        pending=tuple(f"{p.operation} {p.urn.split('::', 2)[-1]}" for p in state.pending),
        deleted=tuple(str(v.found) for v in verdicts if v.action == "delete"),
        kept=tuple(str(v.found) for v in verdicts if v.action == "keep"),
        unclaimed=tuple(f"{v.found}: {v.reason}" for v in unclaimed),
        not_looked_up=tuple(not_looked_up),
        refreshed=refreshed,
        state_copy=copy,
        is_settled=is_settled,
    )


def _evidence(state: State, history: tuple[Update, ...], dead: list[locks.Lock], *, is_torn: bool) -> Evidence:
    engines = [lock for lock in dead if lock.is_engines]
    return Evidence(
        state=state,
        history=history,
        is_interrupted=bool(state.pending or engines) or is_torn,
        seen=min((lock.since for lock in engines if lock.since), default=None),
    )


def _remove(dead: list[locks.Lock], report: Report) -> None:
    for lock in dead:
        locks.remove(lock)
        report(f"removed the lock of a dead process: {lock}")


@contextmanager
def _alone(engine: Engine, backend: Backend) -> Iterator[None]:
    if backend.folder is None:
        yield
        return
    with locks.hold(backend.folder, backend.project, engine.stack):
        yield


def _settle(
    engine: Engine, backend: Backend, evidence: Evidence, *, assume_yes: bool, report: Report
) -> tuple[list[Verdict], set[str], list[str]]:
    """Looks at the cloud and deletes what may be deleted; names the resources whose objects are gone, too."""
    config = stack.settings(engine)
    wanted = parts.names(engine.stack, evidence.state, config)
    outside = sides.Sides(engine, config)
    objects, not_looked_up = outside.look(wanted, _required(evidence.state))
    verdicts = decide(evidence, objects, assume_yes=assume_yes)
    doomed = sorted(
        (v for v in verdicts if v.action == "delete"), key=lambda v: list(parts.FOUND_BY_NAME).index(v.found.token)
    )
    if doomed and backend.folder is None and not backend.is_service and not assume_yes:
        raise DeployError(
            f"this backend does not tell whether an update of `{engine.stack}` runs, and these would be deleted: "
            + ", ".join(str(v.found) for v in doomed),
            code="stack-perhaps-locked",
            help="make sure that none runs, then: mbgate recover --yes",
        )
    for verdict in doomed:
        outside.delete(verdict.found)
        report(f"deleted {verdict.found}: {verdict.reason}")
    return verdicts, _gone(evidence.state, objects, not_looked_up), not_looked_up


def _gone(state: State, objects: list[Found], not_looked_up: list[str]) -> set[str]:
    """Resources of the state whose objects are not there any more: the answer to their deletion was lost.

    The official provider can't delete what is gone (its Delete ends with the API's 404), so the state must know.
    """
    there = {(found.token, found.id) for found in objects}
    listed = {token for token in parts.FOUND_BY_NAME if sides.label(token) not in not_looked_up}
    return {r["urn"] for r in state.resources if r["type"] in listed and (r["type"], r.get("id")) not in there}


def _doubtful(evidence: Evidence, gone: set[str]) -> list[str]:
    """Resources of which it is not known what became of them.

    Those with an interrupted operation, those that are gone, and after a failed update all of Cloudflare's: a change or
    a deletion may have been made though its answer was lost. Metabase's are not asked, it may be away.
    """
    pending = {p.urn for p in evidence.state.pending if p.operation != "creating"} & evidence.state.urns
    failed = {r["urn"] for r in evidence.state.resources if r["type"].startswith("cloudflare:") and r.get("id")}
    return sorted(pending | gone | (failed if evidence.has_failed else set()))


def _required(state: State) -> frozenset[str]:
    """The types that must be looked up: the state has some, or was about to."""
    return frozenset(r["type"] for r in state.resources) | {p.token for p in state.pending if p.operation == "creating"}


def _in_the_way(state: State, unclaimed: list[Verdict]) -> list[Pending]:
    """Interrupted creations that would end in a name conflict: an unclaimed object has the name."""
    taken = {(v.found.token, v.found.name) for v in unclaimed}
    return [
        p
        for p in state.pending
        if p.operation == "creating" and (p.token, parts.name_of(p.token, p.inputs) or "") in taken
    ]


def _clean(engine: Engine, state: State, doubtful: list[str], report: Report) -> tuple[str | None, tuple[str, ...]]:
    """Looks up again what is doubtful, then drops the pending operations.

    In that order: killed in between, the pending operations are still there for the next recovery.
    """
    if not (doubtful or state.pending):
        return None, ()
    copy = stack.keep_copy(engine, state)
    report(f"the former state is kept as `{copy}`")
    if doubtful:
        targets = [part for urn in doubtful for part in ("--target", urn)]
        engine.run("refresh", "--yes", "--skip-preview", *targets)
        report(f"looked up again: {len(doubtful)} resources of the state")
    if state.pending:
        if doubtful:
            state, _ = stack.read(engine)
        stack.write_back(engine, state)
        report("dropped the pending operations")
    return str(copy), tuple(urn.split("::", 2)[-1] for urn in doubtful)
