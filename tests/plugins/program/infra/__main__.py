"""The stack of the wire recording: what the official provider was given when its requests were recorded."""

import pulumi
import pulumi_cloudflare as cf

config = pulumi.Config()
account = config.require("account")
zone = config.require("zone")
domain = config.require("domain")
cloud = cf.Provider("cloud", api_token=config.require_secret("token"), base_url=config.require("url"))
opts = pulumi.ResourceOptions(provider=cloud)
invoke = pulumi.InvokeOutputOptions(provider=cloud)

kv = cf.WorkersKvNamespace("kv", account_id=account, title="mbgate-kv", opts=opts)
broker = cf.WorkersScript(
    "broker",
    account_id=account,
    script_name="mbgate-broker",
    main_module="i.mjs",
    content="export default {fetch(){return new Response('b')}}",
    compatibility_date="2026-11-01",
    bindings=[{"name": "K", "type": "secret_text", "text": pulumi.Output.secret("k")}],
    opts=opts,
)
script = cf.WorkersScript(
    "gateway",
    account_id=account,
    script_name="mbgate",
    main_module="i.mjs",
    content="export default {fetch(){return new Response('x')}}",
    compatibility_date="2026-11-01",
    observability={"enabled": True, "head_sampling_rate": 1},
    bindings=[
        {"name": "KV", "type": "kv_namespace", "namespace_id": kv.id},
        {"name": "S", "type": "secret_text", "text": pulumi.Output.secret("z")},
        {"name": "BROKER", "type": "service", "service": broker.script_name},
        {"name": "AE", "type": "analytics_engine", "dataset": "audit"},
        {"name": "V", "type": "version_metadata"},
    ],
    opts=opts,
)
cf.WorkersCustomDomain(
    "domain", account_id=account, zone_id=zone, hostname=f"bi.{domain}", service=script.script_name, opts=opts
)
cf.WorkersCronTrigger(
    "cron", account_id=account, script_name=script.script_name, schedules=[{"cron": "*/15 * * * *"}], opts=opts
)
tunnel = cf.ZeroTrustTunnelCloudflared("tunnel", account_id=account, name="mbgate", config_src="cloudflare", opts=opts)
token = cf.get_zero_trust_tunnel_cloudflared_token_output(account_id=account, tunnel_id=tunnel.id, opts=invoke)
cf.DnsRecord(
    "origin",
    zone_id=zone,
    name=f"o.{domain}",
    type="CNAME",
    ttl=1,
    proxied=True,
    content=tunnel.id.apply(lambda found: f"{found}.cfargotunnel.com"),
    opts=opts,
)
worker = cf.Worker("worker", account_id=account, name="mbgate-w", opts=opts)
version = cf.WorkerVersion(
    "version",
    account_id=account,
    worker_id=worker.id,
    main_module="i.mjs",
    compatibility_date="2026-11-01",
    modules=[
        {
            "name": "i.mjs",
            "content_type": "application/javascript+module",
            "content_base64": "ZXhwb3J0IGRlZmF1bHQge30=",
        }
    ],
    bindings=[{"name": "S", "type": "secret_text", "text": pulumi.Output.secret("z")}],
    opts=opts,
)
cf.WorkersDeployment(
    "deployment",
    account_id=account,
    script_name=worker.name,
    strategy="percentage",
    versions=[{"percentage": 100, "version_id": version.id}],
    opts=opts,
)
idp = cf.ZeroTrustAccessIdentityProvider(
    "idp",
    account_id=account,
    name="okta",
    type="oidc",
    config={
        "client_id": "x",
        "client_secret": pulumi.Output.secret("s"),
        "auth_url": "https://i/a",
        "token_url": "https://i/t",
        "certs_url": "https://i/c",
        "claims": ["groups"],
        "scopes": ["openid", "email"],
        "pkce_enabled": True,
    },
    opts=opts,
)
staff = cf.ZeroTrustAccessPolicy(
    "staff",
    account_id=account,
    name="staff",
    decision="allow",
    includes=[{"oidc": {"identity_provider_id": idp.id, "claim_name": "groups", "claim_value": "staff"}}],
    opts=opts,
)
app = cf.ZeroTrustAccessApplication(
    "app",
    account_id=account,
    name="metabase",
    type="self_hosted",
    domain=f"bi.{domain}",
    session_duration="1h",
    auto_redirect_to_identity=True,
    allowed_idps=[idp.id],
    policies=[{"id": staff.id, "precedence": 1}],
    opts=opts,
)
cf.ZeroTrustTunnelCloudflaredConfig(
    "ingress",
    account_id=account,
    tunnel_id=tunnel.id,
    config={
        "ingresses": [
            {
                "hostname": f"o.{domain}",
                "service": "http://metabase:3000",
                "origin_request": {"access": {"required": True, "team_name": "acme", "aud_tags": [app.aud]}},
            },
            {"service": "http_status:404"},
        ]
    },
    opts=opts,
)
service_token = cf.ZeroTrustAccessServiceToken("token", account_id=account, name="origin", duration="8760h", opts=opts)
cf.ZeroTrustAccessPolicy(
    "machines",
    account_id=account,
    name="gw",
    decision="non_identity",
    includes=[{"service_token": {"token_id": service_token.id}}],
    opts=opts,
)
pulumi.export("tunnel_token", pulumi.Output.secret(token.token))
pulumi.export("aud", app.aud)
pulumi.export("client_secret", service_token.client_secret)
