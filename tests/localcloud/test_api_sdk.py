"""The official Python SDK against the real process, as the code of others would use it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloudflare
import pytest
from cloudflare import Cloudflare, DefaultHttpxClient

from tests.localcloud.api_harness import ACCOUNT, MODULE, TOKEN, ZONE, Server


@pytest.fixture
def sdk(serve: Callable[[Path], Server], tmp_path: Path) -> Iterator[Any]:
    """Untyped: its request types are unions of TypedDicts, which no plain dictionary is."""
    server = serve(tmp_path)
    transport = DefaultHttpxClient(trust_env=False)
    with Cloudflare(api_token=TOKEN, base_url=server.base_url, max_retries=0, http_client=transport) as client:
        yield client


def test_zones_and_token(sdk: Any) -> None:
    assert [zone.id for zone in sdk.zones.list(name="example.com")] == [ZONE]
    verified = sdk.user.tokens.verify()
    assert verified is not None
    assert verified.status == "active"


def test_kv(sdk: Any) -> None:
    namespaces = sdk.kv.namespaces
    created = [namespaces.create(account_id=ACCOUNT, title=f"n{number}") for number in range(45)]
    assert [n.title for n in namespaces.list(account_id=ACCOUNT)] == [f"n{number}" for number in range(45)]
    first = created[0]
    assert first is not None
    place = {"account_id": ACCOUNT, "namespace_id": first.id}
    for key in ("a/b c", "100%2F", "ü?#"):
        namespaces.values.update(key, value=b"\xff", metadata='{"x": 1}', expiration_ttl=600, **place)
        assert namespaces.values.get(key, **place).read() == b"\xff"
        assert namespaces.metadata.get(key, **place) is not None
        assert [listed.name for listed in namespaces.keys.list(first.id, account_id=ACCOUNT)] == [key]
        namespaces.values.delete(key, **place)
    with pytest.raises(cloudflare.NotFoundError) as missing:
        namespaces.values.get("a/b c", **place)
    assert missing.value.errors[0].code == 10009
    for namespace in created:
        assert namespace is not None
        namespaces.delete(namespace.id, account_id=ACCOUNT)
    assert list(namespaces.list(account_id=ACCOUNT)) == []


def test_tunnel_and_vpc_service(sdk: Any) -> None:
    tunnels = sdk.zero_trust.tunnels.cloudflared
    tunnel = tunnels.create(account_id=ACCOUNT, name="t", config_src="cloudflare")
    assert tunnel.id
    ingress = [{"hostname": "o.example.com", "service": "http://m:3000"}, {"service": "http_status:404"}]
    tunnels.configurations.update(tunnel.id, account_id=ACCOUNT, config={"ingress": ingress})
    read = tunnels.configurations.get(tunnel.id, account_id=ACCOUNT)
    assert read.config is not None
    assert read.version == 1
    assert base64.b64decode(tunnels.token.get(tunnel.id, account_id=ACCOUNT))
    host = {"hostname": "m.internal", "resolver_network": {"tunnel_id": tunnel.id}}
    services = sdk.connectivity.directory.services
    service = services.create(account_id=ACCOUNT, name="m", type="http", host=host, http_port=3000)
    assert service is not None
    assert service.service_id
    with pytest.raises(cloudflare.BadRequestError):
        tunnels.delete(tunnel.id, account_id=ACCOUNT)
    services.delete(service.service_id, account_id=ACCOUNT)
    assert list(services.list(account_id=ACCOUNT)) == []
    tunnels.delete(tunnel.id, account_id=ACCOUNT)
    assert list(tunnels.list(account_id=ACCOUNT, is_deleted=False)) == []
    with pytest.raises(cloudflare.ConflictError):
        [tunnels.create(account_id=ACCOUNT, name="u") for _ in range(2)]


def test_access(sdk: Any) -> None:
    access, providers = sdk.zero_trust.access, sdk.zero_trust.identity_providers
    config = {"auth_url": "https://i/a", "token_url": "https://i/t", "certs_url": "https://i/c"}
    credentials = {"client_id": "x", "client_secret": "hush"}
    provider = providers.create(account_id=ACCOUNT, name="w", type="oidc", config={**config, **credentials})
    assert provider is not None
    assert provider.id
    token = access.service_tokens.create(account_id=ACCOUNT, name="t")
    assert token is not None
    assert token.id
    assert token.client_secret
    rotated = access.service_tokens.rotate(token.id, account_id=ACCOUNT)
    assert rotated is not None
    assert rotated.client_secret not in (None, token.client_secret)
    people = access.policies.create(
        account_id=ACCOUNT, name="p", decision="allow", include=[{"login_method": {"id": provider.id}}]
    )
    assert people is not None
    assert people.id
    app = access.applications.create(
        account_id=ACCOUNT,
        type="self_hosted",
        domain="bi.example.com",
        name="a",
        allowed_idps=[provider.id],
        policies=[{"id": people.id, "precedence": 1}],
    )
    assert app is not None
    assert app.id
    listed = list(access.applications.list(account_id=ACCOUNT))
    assert [(a.id, getattr(a, "aud", None)) for a in listed] == [(app.id, getattr(app, "aud", ""))]
    group = access.groups.create(account_id=ACCOUNT, name="g", include=[{"everyone": {}}])
    assert group is not None
    assert group.id
    access.groups.delete(group.id, account_id=ACCOUNT)
    access.applications.delete(app.id, account_id=ACCOUNT)
    access.policies.delete(people.id, account_id=ACCOUNT)
    access.service_tokens.delete(token.id, account_id=ACCOUNT)
    providers.delete(provider.id, account_id=ACCOUNT)
    for collection in (access.applications, access.policies, access.service_tokens, access.groups, providers):
        assert list(collection.list(account_id=ACCOUNT)) == []


def test_worker_version_deployment_and_what_hangs_on_it(sdk: Any) -> None:
    workers = sdk.workers.beta.workers
    worker = workers.create(account_id=ACCOUNT, name="w", subdomain={"enabled": False})
    version = workers.versions.create(
        worker.id,
        account_id=ACCOUNT,
        main_module="i.mjs",
        modules=[MODULE],
        bindings=[{"name": "S", "type": "secret_text", "text": "hush"}],
        annotations={"workers_tag": "v1"},
    )
    assert version.number == 1
    read = workers.versions.get(version.id, account_id=ACCOUNT, worker_id=worker.id, include="modules")
    assert read.modules is not None
    assert read.modules[0].content_base64 == MODULE["content_base64"]
    assert read.annotations is not None
    assert read.annotations.workers_tag == "v1"
    assert [v.id for v in workers.versions.list(worker.id, account_id=ACCOUNT)] == [version.id]
    scripts = sdk.workers.scripts
    share = {"version_id": version.id, "percentage": 100}
    made = scripts.deployments.create("w", account_id=ACCOUNT, strategy="percentage", versions=[share])
    assert scripts.deployments.get(made.id, account_id=ACCOUNT, script_name="w").versions[0].percentage == 100
    assert [script.id for script in scripts.list(account_id=ACCOUNT)] == ["w"]
    scripts.schedules.update("w", account_id=ACCOUNT, body=[{"cron": "*/15 * * * *"}])
    assert [s.cron for s in scripts.schedules.get("w", account_id=ACCOUNT).schedules] == ["*/15 * * * *"]
    assert scripts.subdomain.get("w", account_id=ACCOUNT).enabled is False
    domain = sdk.workers.domains.update(account_id=ACCOUNT, hostname="bi.example.com", service="w", zone_id=ZONE)
    assert domain is not None
    assert [d.hostname for d in sdk.workers.domains.list(account_id=ACCOUNT)] == ["bi.example.com"]
    route = sdk.workers.routes.create(zone_id=ZONE, pattern="example.com/*", script="w")
    assert route is not None
    assert [r.pattern for r in sdk.workers.routes.list(zone_id=ZONE)] == ["example.com/*"]
    sdk.workers.routes.delete(route.id, zone_id=ZONE)
    sdk.workers.domains.delete(domain.id, account_id=ACCOUNT)
    workers.delete(worker.id, account_id=ACCOUNT)
    assert list(workers.list(account_id=ACCOUNT)) == []
    with pytest.raises(cloudflare.NotFoundError):
        workers.get(worker.id, account_id=ACCOUNT)


def test_dns(sdk: Any) -> None:
    record = sdk.dns.records.create(zone_id=ZONE, name="o.example.com", type="CNAME", content="x.example.org", ttl=1)
    assert record is not None
    assert [r.id for r in sdk.dns.records.list(zone_id=ZONE, name={"exact": "o.example.com"})] == [record.id]
    sdk.dns.records.delete(record.id, zone_id=ZONE)
    assert list(sdk.dns.records.list(zone_id=ZONE)) == []


def test_an_error_is_not_repeated(sdk: Any) -> None:
    """`x-should-retry: false` holds even where the client would retry."""
    patient = sdk.with_options(max_retries=10)
    patient.kv.namespaces.create(account_id=ACCOUNT, title="n")
    with pytest.raises(cloudflare.BadRequestError) as refused:
        patient.kv.namespaces.create(account_id=ACCOUNT, title="n")
    assert refused.value.errors[0].code == 10014
    patient.zero_trust.tunnels.cloudflared.create(account_id=ACCOUNT, name="t")
    with pytest.raises(cloudflare.ConflictError):
        patient.zero_trust.tunnels.cloudflared.create(account_id=ACCOUNT, name="t")
