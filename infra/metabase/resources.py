"""The program's side of the project's own provider: one class a resource type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which Metabase a resource is in, and the way to it."""

    instance: pulumi.Input[str]
    """Tells one Metabase from another: a change makes its resources anew."""
    connection: Mapping[str, pulumi.Input[str]]
    """The fields of `infra.metabase.connection.Connection`; a change of the way alone changes nothing in Metabase."""

    revision: pulumi.Input[str] = ""
    """New with each container: a Metabase that was made anew is looked at, and gets again what it lacks."""
    goes_with: pulumi.Resource | None = None
    """What holds Metabase's data: where the stack deletes that too, nothing need be undone in it."""

    def options(self, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
        """`opts`, with the deletion bound to `goes_with`."""
        return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(deleted_with=self.goes_with))

    def properties(self) -> dict[str, Any]:
        """The inputs that every resource in Metabase has."""
        return {
            "instance": self.instance,
            "revision": self.revision,
            "connection": pulumi.Output.secret(dict(self.connection)),
        }


class _Resource(pulumi.CustomResource):
    """Names are snake_case in Python and camelCase for the engine."""

    def translate_input_property(self, prop: str) -> str:
        """`api_key` → `apiKey`"""
        head, *rest = prop.split("_")
        return head + "".join(part.capitalize() for part in rest)

    def translate_output_property(self, prop: str) -> str:
        """`apiKey` → `api_key`"""
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in prop)


class GeneratedKey(_Resource):
    """Key material with its predecessor: a changed `trigger` makes `current` the `previous` one.

    `kind` is `aes256`, `es256` or `password`; `current` and `previous` (empty before the first rotation) are secret.
    """

    current: pulumi.Output[str]
    previous: pulumi.Output[str]
    rotated_at: pulumi.Output[str]

    def __init__(
        self, resource_name: str, *, kind: str, trigger: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props = {
            "name": resource_name,
            "kind": kind,
            "trigger": trigger,
            "current": None,
            "previous": None,
            "rotated_at": None,
        }
        super().__init__("mbgate:index:GeneratedKey", resource_name, props, opts)


class MetabaseSetup(_Resource):
    """The first administrator and the deployment's API key."""

    api_key: pulumi.Output[str]
    version: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        place: Place,
        admin_email: str,
        admin_password: pulumi.Input[str],
        site_name: str,
        key_name: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            **place.properties(),
            "admin_email": admin_email,
            "admin_password": pulumi.Output.secret(admin_password),
            "site_name": site_name,
            "key_name": key_name,
            "api_key": None,
            "api_key_id": None,
            "version": None,
        }
        super().__init__("mbgate:index:MetabaseSetup", resource_name, props, place.options(opts))


class MetabaseGroup(_Resource):
    """A Metabase permissions group."""

    group_id: pulumi.Output[int]

    def __init__(
        self,
        resource_name: str,
        *,
        place: Place,
        api_key: pulumi.Input[str],
        name: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            **place.properties(),
            "api_key": pulumi.Output.secret(api_key),
            "name": name,
            "group_id": None,
        }
        super().__init__("mbgate:index:MetabaseGroup", resource_name, props, place.options(opts))


class MetabasePermissions(_Resource):
    """Collection and data permissions of the managed groups; All Users gets none."""

    def __init__(
        self,
        resource_name: str,
        *,
        place: Place,
        api_key: pulumi.Input[str],
        collections: Mapping[str, Mapping[str, str]],
        data: Mapping[str, Mapping[str, str]],
        group_ids: Mapping[str, pulumi.Input[int]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            **place.properties(),
            "api_key": pulumi.Output.secret(api_key),
            "collections": collections,
            "data": data,
            "group_ids": group_ids,
            "applied": None,
        }
        super().__init__("mbgate:index:MetabasePermissions", resource_name, props, place.options(opts))


class MetabaseSettings(_Resource):
    """Metabase's own settings; what this version of it doesn't know is left out of `applied`."""

    def __init__(
        self,
        resource_name: str,
        *,
        place: Place,
        api_key: pulumi.Input[str],
        values: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            **place.properties(),
            "api_key": pulumi.Output.secret(api_key),
            "values": values,
            "applied": None,
        }
        super().__init__("mbgate:index:MetabaseSettings", resource_name, props, place.options(opts))
