"""The proof from outside: nothing of Metabase answers, on any port, but through the gateway."""

from __future__ import annotations

import json
from typing import Any

import docker
import httpx
import jwt
import pytest

from infra.metabase.secrets import generate
from tests.demo.conftest import Browser, Demo
from tests.private.conftest import Outside, addresses, ask_from, network, part

pytestmark = [pytest.mark.docker, pytest.mark.demo]

CONTAINERS = ("metabase", "sidecar", "connector", "files")
ORIGIN = "http://metabase.internal:3000/api/health"


def test_the_scanner_sees_what_is_open(engine: docker.DockerClient, contained: Demo) -> None:
    """From Metabase's own network its port answers, and the sidecar's: without this, silence would prove nothing."""
    from tests.private.conftest import beside

    targets = addresses(engine, "metabase", "sidecar")
    with beside(engine, network(engine, "metabase")) as inside:
        metabase = targets["metabase on metabase"]
        sidecar = targets["sidecar on metabase"]
        assert inside.open_ports(metabase, sidecar) == {metabase: [3000], sidecar: [3000]}


@pytest.mark.parametrize("place", ["other_network", "other_namespace"])
def test_nothing_answers_from_outside(engine: docker.DockerClient, place: str, request: pytest.FixtureRequest) -> None:
    """All 65,535 ports of every address of every container of the stack."""
    outside: Outside = request.getfixturevalue(place)
    assert 4321 in outside.open_ports(outside.neighbour)[outside.neighbour]
    targets = addresses(engine, "metabase", "sidecar", "connector")
    assert len(targets) == 5
    assert outside.open_ports(*targets.values()) == {address: [] for address in targets.values()}


@pytest.mark.parametrize("place", ["other_network", "other_namespace"])
def test_the_engines_machine_publishes_nothing(place: str, request: pytest.FixtureRequest) -> None:
    """A published port would answer on the machine's own address; whatever answers there is not Metabase."""
    outside: Outside = request.getfixturevalue(place)
    script = (
        "import sys, urllib.request, urllib.error\n"
        "for port in sys.argv[2:]:\n"
        "    try:\n        answer = urllib.request.urlopen(f'http://{sys.argv[1]}:{port}/api/health', timeout=3)\n"
        "    except urllib.error.HTTPError as error:\n        answer = error\n"
        "    except Exception:\n        continue\n"
        "    if 'x-metabase-version' in {k.lower() for k in answer.headers}:\n        print(port)\n"
    )
    found = outside.open_ports(outside.router)[outside.router]
    assert outside.run(script, outside.router, *map(str, found)) == ""


def test_containers_can_do_little_and_hold_no_secret_in_sight(engine: docker.DockerClient, contained: Demo) -> None:
    """What `docker inspect` shows of each container."""
    state = json.loads(contained.pulumi("stack", "export", "--show-secrets"))["deployment"]["resources"]
    secrets = [
        json.loads(value["plaintext"])
        for resource in state
        if resource["type"] == "mbgate:index:GeneratedKey"
        for name, value in resource["outputs"].items()
        if name == "current"
    ]
    token = next(r["outputs"]["tunnelToken"]["plaintext"] for r in state if r["type"] == "pulumi:pulumi:Stack")
    secrets.append(json.loads(token))
    assert len(secrets) == 7
    for name in CONTAINERS:
        found = part(engine, name).attrs
        host = found["HostConfig"]
        assert found["Config"]["Labels"]["mbgate"] == "local"
        assert not host["PortBindings"]
        assert not host["PublishAllPorts"]
        assert not host["Privileged"]
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["CapDrop"] == ["ALL"]
        shown = json.dumps(found)
        assert not [secret for secret in secrets if secret in shown], name
        if name == "files":
            assert (host["NetworkMode"], found["State"]["Running"], found["State"]["ExitCode"]) == ("none", False, 0)
            continue
        assert not host["CapAdd"]
        assert host["ReadonlyRootfs"] is True
        assert host["Memory"] > 0
        assert found["Config"]["User"].split(":")[0] not in ("", "0", "root")
        assert found["Config"]["Healthcheck"]["Test"][0] == "CMD"


def test_networks_are_internal_but_the_connectors_way_out(engine: docker.DockerClient, contained: Demo) -> None:
    """Metabase and the sidecar have no way out; the connector, which has one, never meets Metabase."""
    joined = {
        name: {joined.rsplit("-", 1)[1] for joined in part(engine, name).attrs["NetworkSettings"]["Networks"]}
        for name in ("metabase", "sidecar", "connector")
    }
    assert joined == {
        "metabase": {"metabase"},
        "sidecar": {"metabase", "private"},
        "connector": {"private", "egress"},
    }
    ours = engine.networks.list(filters={"label": "mbgate=local"})
    internal = {found.name.rsplit("-", 1)[1]: found.attrs["Internal"] for found in ours}
    assert internal == {"metabase": True, "private": True, "egress": False}


def test_without_a_good_assertion_the_sidecar_refuses(engine: docker.DockerClient, contained: Demo) -> None:
    """From where the connector stands, past gateway and Access: missing, forged, and one that another stack made."""
    other = json.loads(generate("es256"))
    claims = {"iss": contained.status["gateway_url"], "aud": "metabase", "sub": "x", "iat": 1, "exp": 4102444800}
    forged = jwt.encode(claims, jwt.PyJWK(other, "ES256").key, "ES256", headers={"kid": other["kid"]})
    for headers in ({}, {"Mbgate-Assertion": forged}, {"Mbgate-Assertion": "x"}, {"x-api-key": "mb_x"}):
        status, answered, _ = ask_from(engine, network(engine, "private"), ORIGIN, **headers)
        assert (status, answered["mbgate-sidecar"]) == (401, "assertion-refused")
        assert "x-metabase-version" not in answered


def test_the_private_hostnames_open_to_their_own_token_alone(contained: Demo) -> None:
    """A person's Access token, the other hostname's service token, nothing: each is refused; without an assertion even
    the right token gets no further than the sidecar."""
    browser, url = Browser(), contained.status["gateway_url"]
    browser.sign_in(url + "/", contained.account("exec"))
    person = browser.cookies["localhost"]["CF_Authorization"]
    tokens = _service_tokens(contained)
    hostnames = {"origin": "origin.localhost", "deployment": "metabase-admin.localhost"}
    for name, hostname in hostnames.items():
        other = next(tokens[n] for n in hostnames if n != name)
        for headers in (
            {},
            {"Cookie": f"CF_Authorization={person}"},
            {"Cf-Access-Jwt-Assertion": person},
            {"cf-access-token": person},
            {**other},
            {**tokens[name], "CF-Access-Client-Secret": "0" * 64},
        ):
            assert _ask(url, hostname, headers).status_code in (401, 403), (hostname, headers.keys())
        answer = _ask(url, hostname, tokens[name])
        assert (answer.status_code, answer.headers["mbgate-sidecar"]) == (401, "assertion-refused")


def _service_tokens(demo: Demo) -> dict[str, dict[str, str]]:
    state = json.loads(demo.pulumi("stack", "export", "--show-secrets"))["deployment"]["resources"]
    return {
        resource["urn"].rsplit("::", 1)[1]: {
            "CF-Access-Client-Id": resource["outputs"]["clientId"],
            "CF-Access-Client-Secret": json.loads(resource["outputs"]["clientSecret"]["plaintext"]),
        }
        for resource in state
        if resource["type"].endswith("ZeroTrustAccessServiceToken")
    }


def _ask(url: str, hostname: str, headers: dict[str, Any]) -> httpx.Response:
    port = url.rsplit(":", 1)[1]
    address = f"http://127.0.0.1:{port}/api/health"
    return httpx.get(address, headers={"Host": f"{hostname}:{port}", **headers}, trust_env=False)


def test_through_the_gateway_everything_works(contained: Demo) -> None:
    """The same Metabase, whose containers nobody else can reach, shows the analyst's dashboard."""
    browser, url = Browser(), contained.status["gateway_url"]
    page = browser.sign_in(url + "/dashboard/1", contained.account("analyst"))
    assert page.status_code == 200
    assert browser.api("GET", f"{url}/api/dashboard/1").json()["name"]
    assert browser.api("GET", f"{url}/api/dashboard/3").status_code == 403
