"""Every resource type and form of input that the wire recording lacks."""

from pathlib import Path

import pulumi
import pulumi_cloudflare as cf

config = pulumi.Config()
account = config.require("account")
zone_id = config.require("zone")
domain = config.require("domain")
content = config.get("content") or "10.0.0.1"
title = config.get("title") or "other-kv"
cloud = cf.Provider("cloud", api_token=config.require_secret("token"), base_url=config.require("url"))
opts = pulumi.ResourceOptions(provider=cloud)
invoke = pulumi.InvokeOutputOptions(provider=cloud)

kv = cf.WorkersKvNamespace("kv", account_id=account, title=title, opts=opts)
cf.WorkersKv(
    "value",
    account_id=account,
    namespace_id=kv.id,
    key_name="a/b key",
    value=pulumi.Output.secret("hidden-value"),
    metadata='{"kind": "test"}',
    opts=opts,
)
tunnel = cf.ZeroTrustTunnelCloudflared("tunnel", account_id=account, name="other", config_src="cloudflare", opts=opts)
service = cf.ConnectivityDirectoryService(
    "service",
    account_id=account,
    name="metabase",
    type="http",
    http_port=3000,
    host={"hostname": "metabase.internal", "resolver_network": {"tunnel_id": tunnel.id}},
    opts=opts,
)
worker = cf.Worker(
    "worker",
    account_id=account,
    name="other-gateway",
    observability={"enabled": True, "logs": {"enabled": True, "invocation_logs": True}},
    subdomain={"enabled": False, "previews_enabled": False},
    opts=opts,
)
module = Path(__file__).parent / "gateway.js"
version = cf.WorkerVersion(
    "version",
    account_id=account,
    worker_id=worker.id,
    main_module="gateway.js",
    compatibility_date="2026-11-01",
    compatibility_flags=["nodejs_compat"],
    annotations={"workers_message": "first", "workers_tag": "v1"},
    modules=[
        {"name": "gateway.js", "content_type": "application/javascript+module", "content_file": str(module)},
        {
            "name": "config.js",
            "content_type": "application/javascript+module",
            "content_base64": "ZXhwb3J0IGRlZmF1bHQge30=",
        },
    ],
    bindings=[
        {"name": "ZED", "type": "secret_text", "text": pulumi.Output.secret("hidden-text")},
        {"name": "GROUPS", "type": "json", "json": '{"analyst": [5]}'},
        {"name": "ORIGIN", "type": "vpc_service", "service_id": service.service_id},
        {"name": "KEYS", "type": "kv_namespace", "namespace_id": kv.id},
    ],
    opts=opts,
)
deployment = cf.WorkersDeployment(
    "deployment",
    account_id=account,
    script_name=worker.name,
    strategy="percentage",
    versions=[{"percentage": 100, "version_id": version.id}],
    opts=opts,
)
live = pulumi.ResourceOptions(provider=cloud, depends_on=[deployment])
cf.WorkersRoute("route", zone_id=zone_id, pattern=f"route.{domain}/*", script=worker.name, opts=live)
cf.WorkersScriptSubdomain(
    "subdomain", account_id=account, script_name=worker.name, enabled=False, previews_enabled=False, opts=live
)
cf.ZeroTrustAccessGroup(
    "group",
    account_id=account,
    name="staff",
    includes=[{"email_domain": {"domain": "acme.test"}}, {"email": {"email": "a@acme.test"}}],
    opts=opts,
)
cf.ZeroTrustAccessServiceToken(
    "token",
    account_id=account,
    name="other",
    client_secret_version=config.get_float("secret_version") or 1,
    opts=opts,
)
cf.DnsRecord("record", zone_id=zone_id, name=f"r.{domain}", type="A", ttl=300, content=content, opts=opts)
found = cf.get_zone_output(filter={"name": domain}, opts=invoke)
pulumi.export("zone", found.zone_id)
pulumi.export("worker", worker.name)
