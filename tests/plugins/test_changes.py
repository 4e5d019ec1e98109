"""What counts as a difference, and which differences replace the object."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pulumi.provider.experimental.provider import DiffRequest, DiffResponse, PropertyDiffKind

from localcloud.plugins import serving
from localcloud.plugins.cloudflare.catalog import RESOURCES
from localcloud.plugins.cloudflare.provider import CloudflareProvider
from localcloud.plugins.values import UNKNOWN, from_plain
from tests.plugins.engine import sdk_source

PREFIX = "cloudflare:index/"


def diff(token: str, old: dict[str, Any], new: dict[str, Any], *, secret: bool = False) -> DiffResponse:
    """The provider's answer for plain inputs; `secret` marks the new ones."""

    async def ask() -> DiffResponse:
        serving._old_inputs.set({name: from_plain(value) for name, value in old.items()})
        news = {name: from_plain(value, secret=secret) for name, value in new.items()}
        # A parent's type stands before the resource's own in a URN.
        urn = f"urn:pulumi:test::p::mbgate:Gateway${PREFIX}{token}::name"
        return await CloudflareProvider().diff(DiffRequest(urn, "id", {}, news, []))

    return asyncio.run(ask())


def test_a_secret_mark_alone_is_no_difference() -> None:
    inputs = {"accountId": "a", "title": "kv"}
    assert diff("workersKvNamespace:WorkersKvNamespace", inputs, inputs, secret=True).changes is False


@pytest.mark.parametrize(
    ("token", "name", "replaces"),
    [
        ("workersKvNamespace:WorkersKvNamespace", "title", False),
        ("workersKvNamespace:WorkersKvNamespace", "accountId", True),
        ("workersKv:WorkersKv", "value", False),
        ("workersKv:WorkersKv", "keyName", True),
        ("workersScript:WorkersScript", "scriptName", True),
        ("workersScript:WorkersScript", "content", False),
        ("worker:Worker", "name", False),
        ("workerVersion:WorkerVersion", "modules", True),
        ("workerVersion:WorkerVersion", "bindings", True),
        ("workersDeployment:WorkersDeployment", "versions", True),
        ("workersCustomDomain:WorkersCustomDomain", "service", True),
        ("workersRoute:WorkersRoute", "script", False),
        ("workersCronTrigger:WorkersCronTrigger", "schedules", False),
        ("zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared", "name", False),
        ("zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared", "configSrc", True),
        ("zeroTrustAccessIdentityProvider:ZeroTrustAccessIdentityProvider", "type", True),
        ("zeroTrustAccessApplication:ZeroTrustAccessApplication", "domain", False),
        ("dnsRecord:DnsRecord", "content", False),
        ("dnsRecord:DnsRecord", "type", True),
    ],
)
def test_each_property_replaces_or_updates_as_in_the_official_schema(token: str, name: str, replaces: bool) -> None:
    answer = diff(token, {name: "old"}, {name: "new"})
    assert answer.changes is True
    assert answer.replaces == ([name] if replaces else [])


def test_an_unknown_value_is_a_change_of_its_property() -> None:
    answer = diff("dnsRecord:DnsRecord", {"content": "10.0.0.1"}, {"content": UNKNOWN})
    assert answer.diffs == ["content"]


def test_the_detail_names_the_nested_path() -> None:
    old = {"bindings": [{"name": "A", "text": "1"}, {"name": "B", "text": "2"}]}
    new = {"bindings": [{"name": "A", "text": "1"}, {"name": "B", "text": "3"}, {"name": "C"}]}
    detail = diff("workersScript:WorkersScript", old, new).detailed_diff
    assert {path: change.kind for path, change in detail.items()} == {
        "bindings[1].text": PropertyDiffKind.UPDATE,
        "bindings[2]": PropertyDiffKind.ADD,
    }


def test_every_replacing_property_is_an_input() -> None:
    for token, resource in RESOURCES.items():
        assert resource.replaces <= set(resource.inputs), token
        assert resource.filled <= set(resource.inputs), token
        assert resource.unstable | resource.secrets <= {*resource.outputs, *resource.inputs}, token


def test_every_property_exists_in_the_installed_sdk() -> None:
    for token, resource in RESOURCES.items():
        source = sdk_source("pulumi_cloudflare", token)
        for name in resource.inputs + resource.outputs:
            assert f'name="{name}"' in source or f"def {name}(" in source, f"{token} has no {name}"
