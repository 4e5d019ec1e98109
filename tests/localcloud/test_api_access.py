"""Access: applications, policies, groups, identity providers, service tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.localcloud.api_harness import Api

APPS, POLICIES, GROUPS = "A/access/apps", "A/access/policies", "A/access/groups"
IDPS, TOKENS = "A/access/identity_providers", "A/access/service_tokens"
EVERYONE: list[dict[str, Any]] = [{"everyone": {}}]


def idp(**config: Any) -> dict[str, Any]:
    made = {"auth_url": "https://i/a", "token_url": "https://i/t", "certs_url": "https://i/c"}
    return {"name": "w", "type": "oidc", "config": {**made, "client_id": "x", "client_secret": "hush", **config}}


def policy(api: Api, include: list[dict[str, Any]] | None = None, **change: Any) -> Any:
    body = {"name": "p", "decision": "allow", "include": include or EVERYONE, **change}
    return api.ok("POST", POLICIES, body)


def app(**change: Any) -> dict[str, Any]:
    return {"name": "a", "type": "self_hosted", "domain": "bi.example.com", **change}


def test_an_app_has_cloudflares_defaults_and_a_lasting_audience(api: Api) -> None:
    made = api.ok("POST", APPS, app())
    assert made["destinations"] == [{"type": "public", "uri": "bi.example.com"}]
    assert made["self_hosted_domains"] == ["bi.example.com"]
    assert (made["session_duration"], made["app_launcher_visible"]) == ("24h", True)
    assert (made["http_only_cookie_attribute"], made["policies"], made["allowed_idps"]) == (True, [], [])
    assert len(made["aud"]) == 64
    path = f"{APPS}/{made['id']}"
    changed = api.ok("PUT", path, app(name="b", custom_deny_message="no"))
    assert (changed["aud"], changed["name"], changed["created_at"]) == (made["aud"], "b", made["created_at"])
    assert "custom_deny_message" not in api.ok("PUT", path, app())
    assert [a["aud"] for a in api.ok("GET", f"{APPS}?domain=bi.example.com")] == [made["aud"]]
    assert api.ok("DELETE", path) == {"id": made["id"]}
    assert api.ok("GET", APPS) == []
    assert api.refused("GET", path)[:2] == (404, 12135)


def test_a_destination_is_one_applications(api: Api) -> None:
    first = api.ok("POST", APPS, app())
    assert api.refused("POST", APPS, app(name="b"))[:2] == (409, 11010)
    api.ok("PUT", f"{APPS}/{first['id']}", app())
    api.ok("POST", APPS, app(name="b", domain="bi.example.com/public"))
    worker = api.worker("w")
    to_worker = {"name": "c", "type": "self_hosted", "destinations": [{"type": "worker", "worker_id": worker["id"]}]}
    assert api.ok("POST", APPS, to_worker)["domain"] == ""
    assert api.refused("POST", APPS, to_worker)[:2] == (409, 12132)


def test_an_app_shows_its_policies_as_they_are_now(api: Api) -> None:
    first, second = policy(api, name="one"), policy(api, name="two")
    made = api.ok(
        "POST", APPS, app(policies=[{"id": second["id"], "precedence": 2}, {"id": first["id"], "precedence": 1}])
    )
    assert [(p["id"], p["precedence"]) for p in made["policies"]] == [(first["id"], 1), (second["id"], 2)]
    changed = {"name": "one", "decision": "deny", "include": EVERYONE}
    api.ok("PUT", f"{POLICIES}/{first['id']}", changed)
    assert api.ok("GET", f"{APPS}/{made['id']}")["policies"][0]["decision"] == "deny"
    assert api.state()["access"]["apps"][0]["policies"][0]["decision"] == "deny"
    plain = api.ok("PUT", f"{APPS}/{made['id']}", app(policies=[second["id"], first["id"]]))
    assert [(p["id"], p["precedence"]) for p in plain["policies"]] == [(second["id"], 1), (first["id"], 2)]


@pytest.mark.parametrize(
    "change",
    [{"domain": "bi.other.com"}, {"domain": None}, {"type": "saas"}, {"session_duration": "1 day"},
     {"session_duration": ""}, {"policies": [{"id": "none"}]}, {"policies": [{"decision": "allow"}]},
     {"allowed_idps": ["none"]}, {"same_site_cookie_attribute": "x"}, {"made_up": 1}, {"name": ""},
     {"destinations": [{"type": "private", "cidr": "10.0.0.0/8"}]}, {"destinations": [{"type": "worker"}]},
     {"destinations": [{"type": "worker", "worker_id": "none"}]}, {"app_launcher_visible": "true"}],
)  # fmt: skip
def test_a_wrong_app_is_refused(api: Api, change: dict[str, Any]) -> None:
    status, code, message = api.refused("POST", APPS, app(**change))
    assert (status, code) == (400, 12130)
    assert message.startswith("access.api.error.invalid_request: ")
    assert api.ok("GET", APPS) == []


def test_precedences_are_unique(api: Api) -> None:
    one, two = policy(api), policy(api)
    links = [{"id": one["id"], "precedence": 1}, {"id": two["id"], "precedence": 1}]
    assert "unique" in api.refused("POST", APPS, app(policies=links))[2]


def test_policies_may_share_a_name(api: Api) -> None:
    assert policy(api)["id"] != policy(api)["id"]
    assert [p["session_duration"] for p in api.ok("GET", POLICIES)] == ["24h", "24h"]


@pytest.mark.parametrize(
    "include",
    [[], [{}], [{"email": {"email": "a@b"}, "everyone": {}}], [{"made_up": {}}], [{"email": {}}],
     [{"email": {"email": 1}}], [{"email": {"email": ""}}], [{"email": "x"}], [{"everyone": {"x": "y"}}],
     [{"group": {"id": "none"}}], [{"service_token": {"token_id": "none"}}], [{"login_method": {"id": "none"}}],
     [{"geo": {"country_code": "DE"}}], "everyone"],
)  # fmt: skip
def test_a_rule_that_could_not_be_judged_is_refused(api: Api, include: Any) -> None:
    body = {"name": "p", "decision": "allow", "include": include}
    assert api.refused("POST", POLICIES, body)[:2] == (400, 12130)
    body.pop("decision")
    assert api.refused("POST", GROUPS, body)[:2] == (400, 12130)
    assert api.ok("GET", POLICIES) == api.ok("GET", GROUPS) == []


@pytest.mark.parametrize(
    "change", [{"decision": "maybe"}, {"approval_required": True}, {"made_up": 1}, {"decision": None}]
)
def test_a_wrong_policy_is_refused(api: Api, change: dict[str, Any]) -> None:
    body = {"name": "p", "decision": "allow", "include": EVERYONE, **change}
    assert api.refused("POST", POLICIES, body)[:2] == (400, 12130)


def test_what_is_named_by_another_is_not_deleted(api: Api) -> None:
    provider = api.ok("POST", IDPS, idp())
    token = api.ok("POST", TOKENS, {"name": "t"})
    group = api.ok("POST", GROUPS, {"name": "g", "include": [{"login_method": {"id": provider["id"]}}]})
    machines = policy(api, [{"service_token": {"token_id": token["id"]}}], decision="non_identity")
    people = policy(api, [{"group": {"id": group["id"]}}])
    made = api.ok("POST", APPS, app(policies=[people["id"], machines["id"]], allowed_idps=[provider["id"]]))
    paths = [
        f"{IDPS}/{provider['id']}",
        f"{GROUPS}/{group['id']}",
        f"{POLICIES}/{people['id']}",
        f"{TOKENS}/{token['id']}",
    ]
    for path in paths:
        assert api.refused("DELETE", path)[:2] == (409, 12132)
    order = (f"{APPS}/{made['id']}", paths[2], f"{POLICIES}/{machines['id']}", paths[1], paths[0], paths[3])
    for path in order:
        api.ok("DELETE", path)
    for path in (IDPS, TOKENS, GROUPS, POLICIES, APPS):
        assert api.ok("GET", path) == []


def test_a_group_is_changed_and_never_its_own_member(api: Api) -> None:
    group = api.ok("POST", GROUPS, {"name": "g", "include": [{"email_domain": {"domain": "acme.test"}}]})
    path = f"{GROUPS}/{group['id']}"
    changed = api.ok("PUT", path, {"name": "h", "include": EVERYONE, "require": [{"email": {"email": "a@acme.test"}}]})
    assert (changed["name"], changed["exclude"]) == ("h", [])
    itself = {"name": "g", "include": [{"group": {"id": group["id"]}}]}
    assert api.refused("PUT", path, itself)[:2] == (400, 12130)


def test_an_identity_providers_secret_stays_with_the_edge(api: Api) -> None:
    body = idp(scopes=["openid"], claims=["groups"], pkce_enabled=True)
    made = api.ok("POST", IDPS, body)
    path = f"{IDPS}/{made['id']}"
    for text in (api.call("GET", path).text, api.call("GET", IDPS).text):
        assert "hush" not in text
    sent = {k: v for k, v in body["config"].items() if k != "client_secret"}
    assert api.ok("GET", path)["config"] == sent
    without = idp(client_id="y")
    del without["config"]["client_secret"]
    api.ok("PUT", path, without)
    kept = api.state()["access"]["identity_providers"][0]["config"]
    assert (kept["client_id"], kept["client_secret"]) == ("y", "hush")
    assert "claims" not in kept
    assert api.refused("POST", IDPS, without)[2].endswith("config.client_secret: Field required")


@pytest.mark.parametrize(
    "change",
    [{"type": "okta"}, {"name": None}, {"config": {}}, {"config": {"made_up": 1}}, {"scim_config": {"enabled": True}},
     {"config": {"auth_url": "x", "token_url": "x", "certs_url": "x", "client_id": "x", "client_secret": "x"}}],
)  # fmt: skip
def test_a_wrong_identity_provider_is_refused(api: Api, change: dict[str, Any]) -> None:
    assert api.refused("POST", IDPS, {**idp(), **change})[:2] == (400, 12130)


def test_the_team_domain_is_the_issuers_host(api: Api) -> None:
    assert api.ok("GET", "A/access/organizations")["auth_domain"] == "127.0.0.1:8485"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_service_tokens_secret_is_answered_once(api: Api) -> None:
    made = api.ok("POST", TOKENS, {"name": "t"})
    assert made["client_id"].endswith(".access")
    assert len(made["client_secret"]) == 64
    assert made["duration"] == "8760h"
    assert moment(made["expires_at"]) - moment(made["created_at"]) <= timedelta(hours=8760)
    path = f"{TOKENS}/{made['id']}"
    assert "client_secret" not in api.ok("GET", path)
    assert made["client_secret"] not in api.call("GET", TOKENS).text
    assert api.state()["access"]["service_tokens"][0]["client_secret"] == made["client_secret"]


def test_a_higher_version_makes_a_new_secret_with_an_overlap(api: Api) -> None:
    made = api.ok("POST", TOKENS, {"name": "t", "client_secret_version": 1})
    path = f"{TOKENS}/{made['id']}"
    same = api.ok("PUT", path, {"name": "renamed", "client_secret_version": 1})
    assert "client_secret" not in same
    assert same["name"] == "renamed"
    overlap = "2030-01-01T00:00:00Z"
    change = {"client_secret_version": 2, "previous_client_secret_expires_at": overlap}
    rotated = api.ok("PUT", path, change)
    assert rotated["client_secret"] != made["client_secret"]
    assert (rotated["client_id"], rotated["name"]) == (made["client_id"], "renamed")
    kept = api.state()["access"]["service_tokens"][0]
    assert kept["previous_client_secret"] == made["client_secret"]
    assert kept["previous_client_secret_expires_at"] == overlap
    assert api.refused("PUT", path, {"client_secret_version": 1})[0] == 400
    assert "client_secret" not in api.ok("GET", path)


def test_rotate_and_refresh(api: Api) -> None:
    made = api.ok("POST", TOKENS, {"name": "t", "duration": "1h30m"})
    path = f"{TOKENS}/{made['id']}"
    rotated = api.ok("POST", f"{path}/rotate", {})
    assert rotated["client_secret"] != made["client_secret"]
    assert rotated["client_secret_version"] == 2
    assert api.ok("POST", f"{path}/rotate")["client_secret_version"] == 3
    refreshed = api.ok("POST", f"{path}/refresh")
    assert moment(refreshed["expires_at"]) >= moment(made["expires_at"])
    assert "client_secret" not in refreshed
    assert api.ok("PUT", path, {"duration": "forever"})["expires_at"] is None
    assert api.refused("POST", f"{TOKENS}/none/rotate")[:2] == (404, 12135)


@pytest.mark.parametrize(
    "change",
    [{"name": ""}, {"duration": "1 year"}, {"client_secret_version": 0}, {"client_secret_version": "2"},
     {"previous_client_secret_expires_at": "soon"}, {"previous_client_secret_expires_at": "2030-01-01T00:00:00"},
     {"made_up": 1}],
)  # fmt: skip
def test_a_wrong_service_token_is_refused(api: Api, change: dict[str, Any]) -> None:
    assert api.refused("POST", TOKENS, {"name": "t", **change})[:2] == (400, 12130)
    made = api.ok("POST", TOKENS, {"name": "t"})
    assert api.refused("PUT", f"{TOKENS}/{made['id']}", change)[:2] == (400, 12130)
