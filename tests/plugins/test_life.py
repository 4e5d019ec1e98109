"""Changes, drift, conflicts and failures, seen through the real engine against the local API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.plugins.conftest import config
from tests.plugins.engine import ACCOUNT, ROOT, TOKEN, ZONE, Engine, LocalApi
from tests.plugins.recording import Recorder

pytestmark = pytest.mark.engine

Launch = Callable[..., Engine]

SETTINGS = """
import pulumi
import pulumi_cloudflare as cf
config = pulumi.Config()
account, zone = config.require("account"), config.require("zone")
cloud = cf.Provider("cloud", api_token=config.require_secret("token"), base_url=config.require("url"))
opts = pulumi.ResourceOptions(provider=cloud)
"""


@pytest.fixture(scope="module")
def stack(api: LocalApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The stack with the types that the recording lacks, deployed; destroyed at the end."""
    program = ROOT / "tests" / "plugins" / "program_other"
    url = f"http://127.0.0.1:{api.port}/client/v4"
    engine = Engine.start(tmp_path_factory.mktemp("life"), program, config(url), {"token": TOKEN})
    engine.run("up", "--yes", "--skip-preview")
    yield engine
    engine.run("destroy", "--yes")


@pytest.fixture(scope="module")
def cloud(api: LocalApi) -> Iterator[httpx.Client]:
    """The API as somebody else than the program uses it."""
    url = f"http://127.0.0.1:{api.port}/client/v4"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client


def resources(engine: Engine) -> dict[str, Any]:
    """The state's resources by name."""
    return {item["urn"].split("::")[-1]: item for item in engine.exported()["deployment"]["resources"]}


def steps(engine: Engine) -> dict[str, str]:
    """What a preview would do to each resource that it would touch."""
    plan = json.loads(engine.run("preview", "--json"))
    return {step["urn"].split("::")[-1]: step["op"] for step in plan["steps"] if step["op"] != "same"}


def test_a_deployed_stack_has_nothing_to_do(stack: Engine) -> None:
    assert "14 unchanged" in stack.run("preview", "--expect-no-changes")
    stack.run("refresh", "--yes", "--expect-no-changes")


def test_values_reach_the_api_as_they_were_meant(stack: Engine, cloud: httpx.Client) -> None:
    found = resources(stack)
    place = f"/accounts/{ACCOUNT}/storage/kv/namespaces/{found['kv']['id']}"
    assert cloud.get(f"{place}/values/a%2Fb%20key").text == "hidden-value"
    assert cloud.get(f"{place}/metadata/a%2Fb%20key").json()["result"] == {"kind": "test"}
    version = cloud.get(
        f"/accounts/{ACCOUNT}/workers/workers/{found['worker']['id']}/versions/{found['version']['id']}?include=modules"
    ).json()["result"]
    assert [binding["name"] for binding in version["bindings"]] == ["GROUPS", "KEYS", "ORIGIN", "ZED"]
    assert version["bindings"][0]["json"] == {"analyst": [5]}
    assert {module["name"] for module in version["modules"]} == {"gateway.js", "config.js"}
    text = json.dumps(stack.exported())
    assert "hidden-value" not in text and "hidden-text" not in text


def test_each_change_updates_or_replaces(stack: Engine, cloud: httpx.Client) -> None:
    before = resources(stack)
    stack.run("config", "set", "title", "renamed-kv")
    stack.run("config", "set", "content", "10.0.0.2")
    stack.run("config", "set", "secret_version", "2")
    module = stack.program / "infra" / "gateway.js"
    module.write_text(module.read_text().replace("gateway", "gateway 2"))
    planned = steps(stack)
    assert {name: planned[name] for name in ("kv", "record", "token")} == dict.fromkeys(
        ("kv", "record", "token"), "update"
    )
    assert planned["version"] in ("replace", "create-replacement", "delete-replaced")
    assert planned["deployment"] in ("replace", "create-replacement", "delete-replaced")
    stack.run("up", "--yes", "--skip-preview")
    after = resources(stack)
    for name in ("kv", "record", "token"):
        assert after[name]["id"] == before[name]["id"]
    for name in ("version", "deployment"):
        assert after[name]["id"] != before[name]["id"]
    secret = ("token", "outputs", "clientSecret", "ciphertext")
    assert _at(after, *secret) != _at(before, *secret)
    record = cloud.get(f"/zones/{ZONE}/dns_records/{after['record']['id']}").json()["result"]
    assert record["content"] == "10.0.0.2"
    stack.run("refresh", "--yes", "--expect-no-changes")


def _at(tree: Any, *path: str) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def test_a_change_by_another_hand_is_seen_and_put_right(stack: Engine, cloud: httpx.Client) -> None:
    place = f"/zones/{ZONE}/dns_records/{resources(stack)['record']['id']}"
    wanted = cloud.get(place).json()["result"]
    fields = {name: wanted[name] for name in ("name", "type", "ttl", "proxied")}
    assert cloud.put(place, json={**fields, "content": "10.6.6.6"}).status_code == 200
    seen = stack.attempt("refresh", "--yes", "--expect-no-changes")
    assert seen.returncode != 0 and "content" in seen.stdout + seen.stderr
    assert steps(stack) == {"record": "update"}
    stack.run("up", "--yes", "--skip-preview")
    assert cloud.get(place).json()["result"]["content"] == wanted["content"]


def test_an_object_that_is_gone_is_made_again(stack: Engine, cloud: httpx.Client) -> None:
    found = resources(stack)
    assert cloud.delete(f"/zones/{ZONE}/dns_records/{found['record']['id']}").status_code == 200
    stack.run("refresh", "--yes")
    assert "record" not in resources(stack)
    stack.run("up", "--yes", "--skip-preview")
    assert resources(stack)["record"]["id"] != found["record"]["id"]


def test_a_conflict_fails_and_adopts_nothing(stack: Engine, launch: Launch, api: LocalApi) -> None:
    title = resources(stack)["kv"]["inputs"]["title"]
    source = SETTINGS + f"cf.WorkersKvNamespace('mine', account_id=account, title={title!r}, opts=opts)\n"
    engine = launch(source, config(f"http://127.0.0.1:{api.port}/client/v4"), {"token": TOKEN})
    done = engine.attempt("up", "--yes", "--skip-preview")
    shown = done.stdout + done.stderr
    assert done.returncode != 0
    assert "can't create WorkersKvNamespace `mine`: POST /accounts/" in shown and "(code 10014)" in shown
    assert "Traceback" not in shown
    assert "mine" not in resources(engine)


def test_an_existing_object_can_be_imported(stack: Engine, launch: Launch, api: LocalApi) -> None:
    found = resources(stack)["record"]
    engine = launch(SETTINGS, config(f"http://127.0.0.1:{api.port}/client/v4"), {"token": TOKEN})
    engine.run("up", "--yes", "--skip-preview")
    provider = f"cloud={resources(engine)['cloud']['urn']}"
    engine.run(
        "import", "cloudflare:index/dnsRecord:DnsRecord", "copy", f"{ZONE}/{found['id']}",
        "--provider", provider, "--yes", "--generate-code=false", "--protect=false",
    )  # fmt: skip
    imported = resources(engine)["copy"]
    assert imported["id"] == found["id"]
    assert imported["inputs"] == found["inputs"]


@pytest.mark.parametrize("url", ["https://api.cloudflare.com/client/v4", "http://192.0.2.1/client/v4"])
def test_an_address_off_this_machine_is_refused(launch: Launch, url: str) -> None:
    source = SETTINGS + "cf.WorkersKvNamespace('kv', account_id=account, title='t', opts=opts)\n"
    done = launch(source, config(url), {"token": TOKEN}).attempt("preview")
    shown = done.stdout + done.stderr
    assert done.returncode != 0
    assert f"refuses the API address `{url}`" in shown and "Traceback" not in shown


def test_a_refused_token_an_unsupported_input_and_a_dead_api_are_each_one_line(
    launch: Launch, recorder: Recorder
) -> None:
    source = SETTINGS + "cf.WorkersKvNamespace('kv', account_id=account, title='t', opts=opts)\n"
    engine = launch(source, config(recorder.url), {"token": "x" * 40})
    shown = engine.attempt("up", "--yes", "--skip-preview").stdout
    assert "error: can't create WorkersKvNamespace `kv`: POST /accounts/" in shown and "answered 40" in shown

    engine.run("config", "set", "url", "http://127.0.0.1:1/client/v4")
    shown = engine.attempt("up", "--yes", "--skip-preview").stdout
    assert "can't reach the Cloudflare API at http://127.0.0.1:1/client/v4" in shown and "Traceback" not in shown

    main = engine.program / "infra" / "__main__.py"
    main.write_text(main.read_text().replace("title='t'", "title='t', jurisdiction='eu'"))
    shown = engine.attempt("preview").stdout
    assert "jurisdiction" in shown and "is not supported by the offline cloudflare plugin" in shown
