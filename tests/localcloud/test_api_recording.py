"""Every request that the official provider was recorded to send is answered as that provider needs it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.localcloud.api_harness import ACCOUNT, ZONE, Api

RECORDING = Path(__file__).parent / "wire" / "cloudflare-requests.jsonl"
CREATES = {
    "storage/kv/namespaces": "id7",
    "cfd_tunnel": "id1",
    "access/identity_providers": "id4",
    "access/service_tokens": "id3",
    "workers/workers": "id2",
    "versions": "id5",
    "deployments": "id11",
    "dns_records": "id9",
    "access/apps": "id12",
    "workers/domains": "id13",
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def requests() -> list[dict[str, Any]]:
    """The recording; the policy that the app refers to was made before it."""
    return [json.loads(line) for line in RECORDING.read_text().splitlines()]


class Replay:
    """Sends recorded requests; ids in them are placeholders, filled from the answers."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.ids = {"account": ACCOUNT, "zone": ZONE}
        self.answers: dict[str, Any] = {}

    def send(self, request: dict[str, Any]) -> Any:
        """The answer to one recorded request, which must be a success."""
        path = self.filled(request["path"])
        options: dict[str, Any] = {}
        if request["content_type"] == "application/json":
            options = {
                "content": self.filled(json.dumps(request["body"])),
                "headers": {"content-type": "application/json"},
            }
        elif request["content_type"] == "multipart/form-data":
            # `None` for the file name, as the provider sends `metadata`: a part without one.
            options = {"files": [(p[0], (p[1], self.filled(p[3]), p[2])) for p in request["body"]]}
        response = self._api.client.request(request["method"], path, **options)
        assert response.status_code < 300, (request, response.text)
        if path.endswith("/content/v2"):
            return response
        answer = response.json()
        assert answer["success"] is True
        self._learn(request, answer["result"])
        return answer["result"]

    def filled(self, text: str) -> str:
        return re.sub(r"\{(account|zone|id\d+)\}", lambda match: self.ids[match[1]], text)

    def _learn(self, request: dict[str, Any], result: Any) -> None:
        if request["method"] not in ("POST", "PUT") or not isinstance(result, dict) or "id" not in result:
            return
        for ending, name in CREATES.items():
            if request["path"].endswith("/" + ending):
                self.ids[name] = result["id"]
        if request["path"].endswith("/access/policies"):
            self.ids["id6" if result["name"] == "staff" else "id10"] = result["id"]
        if request["path"].endswith("/access/apps"):
            self.ids["id8"] = result["aud"]


def replay(api: Api) -> tuple[Replay, list[tuple[dict[str, Any], Any]]]:
    """All recorded requests in the recorded order; the tunnel's configuration waits for the app's audience."""
    player = Replay(api)
    return player, [(request, player.send(request)) for request in requests()]


def test_the_whole_life_of_a_stack_is_answered(api: Api) -> None:
    _, answered = replay(api)
    assert len(answered) == len(requests()) == 49


def test_after_the_recorded_destroy_every_list_is_empty(api: Api) -> None:
    player, _ = replay(api)
    for path in (
        "A/storage/kv/namespaces", "A/cfd_tunnel?is_deleted=false", "A/workers/workers", "A/workers/scripts",
        "A/workers/domains", "A/access/apps", "A/access/policies", "A/access/groups", "A/access/identity_providers",
        "A/access/service_tokens", "A/connectivity/directory/services", "Z/dns_records", "Z/workers/routes",
    ):  # fmt: skip
        assert api.ok("GET", path) == [], path
    assert api.ok("GET", f"A/cfd_tunnel/{player.ids['id1']}")["deleted_at"] is not None
    document = api.state()
    assert [document[k] for k in ("workers", "domains", "kv_namespaces", "tunnels", "dns_records")] == [[]] * 5


def up(api: Api) -> Replay:
    """The stack as it stands before the destroy."""
    player = Replay(api)
    for request in requests():
        if request["method"] in ("POST", "PUT"):
            player.answers[request["path"]] = player.send(request)
    return player


def test_what_was_sent_is_read_back_unchanged(api: Api) -> None:
    """Otherwise each plan would show a change."""
    player = up(api)
    reads = {
        "A/workers/workers": f"A/workers/workers/{player.ids['id2']}",
        "A/access/apps": f"A/access/apps/{player.ids['id12']}",
        "A/access/service_tokens": f"A/access/service_tokens/{player.ids['id3']}",
        "Z/dns_records": f"Z/dns_records/{player.ids['id9']}",
    }
    for request in requests():
        short = (
            request["path"].removeprefix("/client/v4").replace("/accounts/{account}", "A").replace("/zones/{zone}", "Z")
        )
        if request["method"] == "POST" and short in reads:
            sent = json.loads(player.filled(json.dumps(request["body"])))
            read = api.ok("GET", reads[short])
            policies = sent.pop("policies", [])
            assert [{"id": p["id"], "precedence": p["precedence"]} for p in read.get("policies", [])] == policies
            if "observability" in sent:
                traces = sent["observability"].pop("traces")
                assert traces.items() <= read["observability"]["traces"].items()
                assert sent.pop("observability").items() <= read["observability"].items()
            assert sent.items() <= read.items(), short


def test_a_read_changes_nothing(api: Api) -> None:
    """`refresh` must find no drift: the same question twice has the same answer."""
    player = up(api)
    reads = [request for request in requests() if request["method"] == "GET"]
    first = [player.send(request) for request in reads if not request["path"].endswith("v2")]
    revision = api.state()["revision"]
    assert [player.send(request) for request in reads if not request["path"].endswith("v2")] == first
    assert api.state()["revision"] == revision


def test_answers_have_what_the_provider_computes(api: Api) -> None:
    player = up(api)
    tunnel = api.ok("GET", f"A/cfd_tunnel/{player.ids['id1']}")
    assert tunnel["account_tag"] == ACCOUNT
    assert (tunnel["status"], tunnel["tun_type"], tunnel["connections"]) == ("inactive", "cfd_tunnel", [])
    assert tunnel["remote_config"] is True
    service = api.ok("GET", "A/workers/services/mbgate")
    script = service["default_environment"]["script"]
    assert {"id", "tag", "etag", "handlers", "created_on", "modified_on"} <= script.keys()
    assert TIME.fullmatch(script["created_on"])
    assert api.ok("GET", f"A/workers/workers/{player.ids['id2']}/versions/{player.ids['id5']}")["number"] == 1
    config = api.ok("GET", f"A/cfd_tunnel/{player.ids['id1']}/configurations")["config"]
    assert config["ingress"][0]["originRequest"]["access"]["audTag"] == [player.ids["id8"]]
    assert len(player.ids["id8"]) == 64


def test_content_is_multipart_with_the_entry_point_named(api: Api) -> None:
    up(api)
    response = api.call("GET", "A/workers/scripts/mbgate/content/v2")
    assert response.headers["cf-entrypoint"] == "i.mjs"
    assert response.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert 'name="i.mjs"' in response.text
    assert "export default {fetch(){return new Response('x')}}" in response.text


JSON_BODIES = [request for request in requests() if request["content_type"] == "application/json"]


@pytest.mark.parametrize("request_", JSON_BODIES, ids=lambda r: f"{r['method']} {r['path'].split('}', 1)[1]}")
def test_a_recorded_body_with_one_more_field_is_refused(api: Api, request_: dict[str, Any]) -> None:
    player = up(api)
    body = json.loads(player.filled(json.dumps(request_["body"])))
    (body[0] if isinstance(body, list) else body)["made_up"] = 1
    path = player.filled(request_["path"]).removeprefix("/client/v4")
    status, _, message = api.refused(request_["method"], path, body)
    assert status == 400
    assert "made_up" in message
