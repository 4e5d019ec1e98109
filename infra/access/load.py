"""Reads the policies: `roles.yaml`, an overlay and `routes.yaml` in, the access model out, or every fault at once."""

from __future__ import annotations

from pathlib import Path

from infra.errors import Fault, PolicyError

from .catalogue import read_catalogue
from .checks import check_policies
from .issuers import read_issuers
from .model import Issuer, Policies, Role
from .overlay import BASE, Merged, overlay_source, stray_faults
from .reading import uncollected
from .roles import read_roles
from .rules import Aliases
from .source import Node, Source, keys_of
from .table import compile_table, digest

ROLES_FILE = "roles.yaml"
ROUTES_FILE = "routes.yaml"
CATALOGUE = Path(__file__).parents[2] / "policies" / ROUTES_FILE


@uncollected()
def load_policies(folder: Path, environment: str | None = None) -> Policies:
    """The policies of a folder, as they hold in an environment; without one, without any overlay.

    Raises PolicyError with every fault, in the order of file and line.
    """
    roles, routes = Source(folder / ROLES_FILE), Source(catalogue_file(folder))
    sources = [roles, routes]
    merged: Source = roles
    if environment is not None:
        overlay = overlay_source(folder, environment)
        merged = Merged(roles, overlay)
        sources.insert(1, overlay)
    policies = read_policies(merged, routes)
    if environment is not None and not sorted_faults(*sources) and _is_idle(folder, policies):
        message = "changes nothing: the decisions are those of the policies without it"
        help = (
            f"say what `{environment}` has otherwise, or remove the file; stacks can have `mbgate:environment: {BASE}`"
        )
        overlay.tell("overlay-idle", message, help)
    faults = [*stray_faults(folder), *sorted_faults(*sources)]
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        where = f"`{folder}`" + (f" in environment `{environment}`" if environment else "")
        raise PolicyError(f"the policies in {where} have {count}", faults=faults)
    return policies


def _is_idle(folder: Path, policies: Policies) -> bool:
    """Whether the base alone has the same table, which holds all that the policies say but descriptions."""
    roles, routes = Source(folder / ROLES_FILE), Source(catalogue_file(folder))
    base = read_policies(roles, routes)
    return not roles.faults and digest(compile_table(base)) == digest(compile_table(policies))


def catalogue_file(folder: Path) -> Path:
    """The folder's route catalogue, or the project's own: what Metabase answers is the same for everybody."""
    own = folder / ROUTES_FILE
    return CATALOGUE if (folder / ROLES_FILE).exists() and not own.exists() else own


def read_policies(roles: Source, routes: Source) -> Policies:
    """The model of two sources, whose faults are left in them; what is faulty is left out."""
    catalogue = read_catalogue(routes)
    aliases = Aliases(roles)
    found: list[tuple[Role, Node, str]] = []
    issuers: tuple[Issuer, ...] = ()
    if roles.root is not None:
        top = roles.record(roles.root, "$", "the file", ("version", "roles"), ("issuers",))
        roles.version(top)
        issuers = read_issuers(roles, *top["issuers"]) if "issuers" in top else ()
        if "roles" in top:
            names = keys_of(top["issuers"][0]) if issuers else None
            found = read_roles(roles, *top["roles"], aliases, names)
    policies = Policies(
        roles=tuple(sorted((role for role, _, _ in found), key=lambda role: role.name)),
        issuers=issuers,
        catalogue=catalogue,
        aliases=aliases.by_kind,
    )
    check_policies(roles, policies, {role.name: (node, path) for role, node, path in found}, not routes.faults)
    return policies


def sorted_faults(*sources: Source) -> list[Fault]:
    """Every fault of the sources, each source's in the order of its lines."""
    return [
        fault
        for source in sources
        for fault in sorted(source.faults, key=lambda fault: (fault.line or 0, fault.column or 0))
    ]
