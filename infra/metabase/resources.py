"""The program's side of the project's own provider: one class a resource type."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi


class GeneratedKey(pulumi.CustomResource):
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
            "rotatedAt": None,
        }
        super().__init__("mbgate:index:GeneratedKey", resource_name, props, opts)

    def translate_output_property(self, prop: str) -> str:
        return "rotated_at" if prop == "rotatedAt" else prop


class MetabaseSetup(pulumi.CustomResource):
    """The first administrator and the deployment's API key."""

    api_key: pulumi.Output[str]
    version: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        url: pulumi.Input[str],
        admin_email: str,
        admin_password: pulumi.Input[str],
        site_name: str,
        key_name: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "url": url,
            "adminEmail": admin_email,
            "adminPassword": pulumi.Output.secret(admin_password),
            "siteName": site_name,
            "keyName": key_name,
            "apiKey": None,
            "apiKeyId": None,
            "version": None,
        }
        super().__init__("mbgate:index:MetabaseSetup", resource_name, props, opts)

    def translate_output_property(self, prop: str) -> str:
        return "api_key" if prop == "apiKey" else prop


class MetabaseGroup(pulumi.CustomResource):
    """A Metabase permissions group."""

    group_id: pulumi.Output[int]

    def __init__(
        self,
        resource_name: str,
        *,
        url: pulumi.Input[str],
        api_key: pulumi.Input[str],
        name: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"url": url, "apiKey": pulumi.Output.secret(api_key), "name": name, "groupId": None}
        super().__init__("mbgate:index:MetabaseGroup", resource_name, props, opts)

    def translate_output_property(self, prop: str) -> str:
        return "group_id" if prop == "groupId" else prop


class MetabasePermissions(pulumi.CustomResource):
    """Collection and data permissions of the managed groups; All Users gets none."""

    def __init__(
        self,
        resource_name: str,
        *,
        url: pulumi.Input[str],
        api_key: pulumi.Input[str],
        collections: Mapping[str, Mapping[str, str]],
        data: Mapping[str, str],
        group_ids: Mapping[str, pulumi.Input[int]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "url": url,
            "apiKey": pulumi.Output.secret(api_key),
            "collections": collections,
            "data": data,
            "groupIds": group_ids,
            "applied": None,
        }
        super().__init__("mbgate:index:MetabasePermissions", resource_name, props, opts)
