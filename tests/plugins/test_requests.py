"""Bodies, paths and refreshes that need no engine."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from localcloud.plugins.cloudflare.access import APPLICATION, GROUP, IDENTITY_PROVIDER, POLICY, SERVICE_TOKEN
from localcloud.plugins.cloudflare.client import Api, require_loopback
from localcloud.plugins.cloudflare.dns import RECORD
from localcloud.plugins.cloudflare.kv import NAMESPACE, VALUE
from localcloud.plugins.cloudflare.scripts import SCRIPT
from localcloud.plugins.cloudflare.tunnels import TUNNEL, TUNNEL_CONFIG
from localcloud.plugins.cloudflare.workers import VERSION, WORKER
from localcloud.plugins.serving import PluginError


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8481/client/v4/", "http://127.9.9.9", "http://[::1]:1", "https://localhost"]
)
def test_loopback_addresses_are_taken(url: str) -> None:
    assert require_loopback(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.cloudflare.com/client/v4", "http://10.0.0.1", "http://localhost.example.com", "http://0.0.0.0:1",
        "http://127.0.0.1@example.com/", "file:///etc/passwd", "127.0.0.1:8481", "",
    ],
)  # fmt: skip
def test_every_other_address_is_refused(url: str) -> None:
    with pytest.raises(PluginError, match="talks only to 127"):
        Api(base_url=url, token="t" * 40)


def test_path_values_are_encoded() -> None:
    inputs = {"accountId": "a", "namespaceId": "n", "keyName": "a/b c"}
    path = VALUE.path(VALUE.collection + VALUE.item, inputs, "a/b c")
    assert path == "/accounts/a/storage/kv/namespaces/n/values/a%2Fb%20c"


def test_the_scope_of_an_access_object_is_one_of_account_and_zone() -> None:
    given: dict[str, Any] = {"includes": [], "name": "g"}
    assert GROUP.faults({**given, "accountId": "a"}) == []
    for wrong in (given, {**given, "accountId": "a", "zoneId": "z"}):
        assert [name for name, _ in GROUP.faults(wrong)] == ["accountId"]
    assert GROUP.path(GROUP.collection, {"zoneId": "z"}) == "/zones/z/access/groups"


def test_unknown_and_missing_inputs_are_named() -> None:
    found = dict(NAMESPACE.faults({"accountId": "a", "colour": "red"}))
    assert found == {"title": "is required", "colour": "is not supported by the offline cloudflare plugin"}


def test_rules_take_their_wire_names() -> None:
    rules = [{"azureAd": {"id": "1"}}, {"githubOrganization": {"name": "acme"}}, {"emailDomain": {"domain": "a.b"}}]
    body = POLICY.body({"accountId": "a", "name": "p", "decision": "allow", "includes": rules, "requires": rules[:1]})
    assert body["include"] == [
        {"azureAD": {"id": "1"}},
        {"github-organization": {"name": "acme"}},
        {"email_domain": {"domain": "a.b"}},
    ]
    assert body["require"] == [{"azureAD": {"id": "1"}}]


def test_application_defaults_depend_on_the_type() -> None:
    hosted = APPLICATION.body({"accountId": "a", "type": "self_hosted", "policies": [{"id": "x"}, {"id": "y"}]})
    assert hosted["session_duration"] == "24h" and hosted["http_only_cookie_attribute"] is True
    assert [policy["precedence"] for policy in hosted["policies"]] == [1, 2]
    assert APPLICATION.body({"accountId": "a", "type": "bookmark"}) == {
        "app_launcher_visible": True,
        "policies": [],
        "type": "bookmark",
    }


def test_tunnel_configuration_is_camel_case_on_the_wire() -> None:
    access = {"required": True, "teamName": "acme", "audTags": ["aud"]}
    request = {
        "access": access,
        "httpHostHeader": "h",
        "noTlsVerify": True,
        "matchSnItoHost": True,
        "http2Origin": True,
    }
    config = {"ingresses": [{"service": "http://x", "originRequest": request}]}
    body = TUNNEL_CONFIG.body({"accountId": "a", "tunnelId": "t", "config": config})
    assert body["config"]["ingress"][0]["originRequest"] == {
        "access": {"required": True, "teamName": "acme", "audTag": ["aud"]},
        "httpHostHeader": "h",
        "noTLSVerify": True,
        "matchSNItoHost": True,
        "http2Origin": True,
    }


def test_a_json_binding_is_a_value_on_the_wire_and_text_in_pulumi() -> None:
    body = VERSION.body({"bindings": [{"name": "G", "type": "json", "json": '{"analyst": [5]}'}]})
    assert body["bindings"][0]["json"] == {"analyst": [5]}
    assert VERSION.names.decode(body)["bindings"][0]["json"] == '{"analyst":[5]}'


def test_version_bindings_are_sorted_by_name() -> None:
    body = VERSION.body({"bindings": [{"name": name, "type": "version_metadata"} for name in "CAB"]})
    assert [binding["name"] for binding in body["bindings"]] == ["A", "B", "C"]


def test_worker_logs_get_their_defaults() -> None:
    body = WORKER.body({"name": "w", "observability": {"enabled": True, "logs": {"enabled": True}}})
    assert body["observability"]["logs"] == {
        "enabled": True,
        "head_sampling_rate": 1,
        "invocation_logs": True,
        "persist": True,
        "destinations": [],
    }


def test_an_update_says_null_for_what_is_gone() -> None:
    old = {"zoneId": "z", "name": "n", "type": "A", "ttl": 1, "comment": "c"}
    assert RECORD.update_body(old, {k: v for k, v in old.items() if k != "comment"})["comment"] is None


def test_a_tunnel_patch_holds_only_what_differs() -> None:
    old = {"accountId": "a", "name": "old", "tunnelSecret": "s", "configSrc": "cloudflare"}
    assert TUNNEL.update_body(old, old | {"name": "new"}) == {"name": "new"}


def test_script_parts_are_named_by_module() -> None:
    inputs = {
        "accountId": "a", "scriptName": "s", "mainModule": "m.js", "content": "x",
        "files": {"c.js": {"contentType": "application/javascript+module", "contentBase64": "eQ=="}},
    }  # fmt: skip
    assert [(name, part[0], part[2]) for name, part in SCRIPT.parts(inputs)] == [
        ("m.js", "m.js", "application/javascript+module"),
        ("c.js", "c.js", "application/javascript+module"),
        ("metadata", None, "application/json"),
    ]


class TestRefresh:
    """What a refresh takes over from the API's answer."""

    RECORD_INPUTS: ClassVar[dict[str, Any]] = {"zoneId": "z", "name": "n", "type": "A", "ttl": 1, "content": "10.0.0.1"}

    def test_an_echo_with_more_in_it_is_no_drift(self) -> None:
        answer = {"id": "1", "name": "n", "type": "A", "ttl": 1.0, "content": "10.0.0.1", "proxied": False, "tags": []}
        assert RECORD.refresh(self.RECORD_INPUTS, answer) == {}

    def test_a_changed_value_is_drift(self) -> None:
        answer = {"name": "n", "type": "A", "ttl": 1, "content": "10.6.6.6"}
        assert RECORD.refresh(self.RECORD_INPUTS, answer) == {"content": "10.6.6.6"}

    def test_a_value_that_nobody_asked_for_is_drift(self) -> None:
        answer = {"name": "n", "type": "A", "ttl": 1, "content": "10.0.0.1", "comment": "mine"}
        assert RECORD.refresh(self.RECORD_INPUTS, answer) == {"comment": "mine"}

    def test_the_order_of_rules_has_no_meaning_but_their_number_has(self) -> None:
        inputs = {"accountId": "a", "name": "g", "includes": [{"email": {"email": "a"}}, {"email": {"email": "b"}}]}
        swapped = {"name": "g", "include": [{"email": {"email": "b"}}, {"email": {"email": "a"}}]}
        assert GROUP.refresh(inputs, swapped) == {}
        assert "includes" in GROUP.refresh(inputs, {"name": "g", "include": swapped["include"][:1]})

    @pytest.mark.parametrize("shown", [None, "", "**********"])
    def test_a_withheld_secret_is_no_drift(self, shown: str | None) -> None:
        inputs = {"accountId": "a", "name": "i", "type": "oidc", "config": {"clientId": "c", "clientSecret": "s"}}
        answer = {"name": "i", "type": "oidc", "config": {"client_id": "c", "client_secret": shown}}
        assert IDENTITY_PROVIDER.refresh(inputs, answer) == {}
        answer["config"] = {"client_id": "other", "client_secret": shown}
        assert "config" in IDENTITY_PROVIDER.refresh(inputs, answer)

    def test_a_change_of_a_default_is_drift(self) -> None:
        inputs = {"accountId": "a", "name": "t"}
        assert SERVICE_TOKEN.refresh(inputs, {"name": "t", "duration": "8760h"}) == {}
        assert SERVICE_TOKEN.refresh(inputs, {"name": "t", "duration": "1h"}) == {"duration": "1h"}

    def test_other_module_content_is_drift(self) -> None:
        module = {"name": "m.js", "contentType": "application/javascript+module", "contentBase64": "eA=="}
        inputs = {"accountId": "a", "workerId": "w", "modules": [module]}
        answer = {"usage_model": "standard"}
        same = {"name": "m.js", "content_type": "application/javascript+module", "content_base64": "eA=="}
        assert VERSION.refresh(inputs, answer | {"modules": [same]}) == {}
        assert "modules" in VERSION.refresh(inputs, answer | {"modules": [same | {"content_base64": "eQ=="}]})


def test_import_ids_are_taken_apart() -> None:
    assert NAMESPACE.addressing("acc/ns") == ("ns", {"accountId": "acc"})
    assert GROUP.addressing("zones/z/g") == ("g", {"zoneId": "z"})
    assert VALUE.addressing("acc/ns/a/b") == ("a/b", {"accountId": "acc", "namespaceId": "ns", "keyName": "a/b"})
    with pytest.raises(PluginError, match="should look like `accountId/ID`"):
        NAMESPACE.addressing("ns")
