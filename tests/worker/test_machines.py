"""Machines and people are told apart, and so are the issuers that vouch for machines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from infra.render.context import IssuerTrust
from tests.worker.deployment import GROUPS, PUBLIC, Deployment, Signer, machines, policy_table, signer
from tests.worker.fakes import World
from tests.worker.messages import Reply, Seen
from tests.worker.people import PAGE, access_token, bearer, cookie_of, finish_sign_in, start_sign_in
from tests.worker.runtime import Answer, Runtime
from tests.worker.test_key_refresh import adopted, stored

pytestmark = pytest.mark.slow

DASHBOARD = "/api/dashboard/1"
REPOSITORY = "repo:acme/reports"


def outside(name: str) -> str:
    return f"https://{name}.example.net"


def trust(name: str, by: Signer | None = None) -> IssuerTrust:
    """An issuer of machines' tokens, with an audience of its own."""
    keys = {"keys": [(by or signer(name)).public]}
    audience = f"{PUBLIC}/{name}"
    return IssuerTrust(name=name, issuer=outside(name), audience=audience, jwks_uri=f"{outside(name)}/jwks", jwks=keys)


def bot(match: dict[str, Any]) -> dict[str, Any]:
    return machines(policy_table()["roles"]["engineer"], match)


TWO = Deployment(
    issuers=(trust("ci"), trust("cd")),
    roles={"ci-bot": bot({"issuer": "ci", "claims": {"sub": REPOSITORY}})},
    groups={**GROUPS, "ci-bot": [6]},
)


@pytest.fixture(scope="module")
def deployed_two(world: World) -> Iterator[Runtime]:
    runtime = Runtime(TWO, world)
    runtime.warm()
    yield runtime
    runtime.close()


@pytest.fixture
def two(deployed_two: Runtime) -> Runtime:
    """A gateway that takes tokens of two more issuers; one of them vouches for a machine with a role."""
    deployed_two.world.reset()
    deployed_two.forget()
    return deployed_two


def token(name: str, by: Signer | None = None, header: dict[str, Any] | None = None, **more: Any) -> str:
    """A token of one of the two issuers."""
    now = int(time.time())
    claims = {"iss": outside(name), "aud": f"{PUBLIC}/{name}", "sub": REPOSITORY, "iat": now, "exp": now + 300}
    return (by or signer(name)).sign({**claims, **more}, **header or {})


def ask(runtime: Runtime, text: str, path: str = DASHBOARD) -> Answer:
    return runtime.ask("GET", path, {"Authorization": f"Bearer {text}"})


def reason(answer: Answer) -> str:
    return str(answer.json["reason"])


def test_a_machine_never_has_a_persons_role(gateway: Runtime) -> None:
    """Not with the groups of every role of people."""
    answer = ask(gateway, bearer(groups=["bi-execs"]))
    assert (answer.status, reason(answer)) == (403, "role-not-mapped")
    assert ask(gateway, bearer(groups=["bi-analysts", "bi-engineers", "bot-execs"])).status == 200
    assert gateway.events(2)[-1]["role"] == "bot-exec"


def test_a_person_never_has_a_machines_role(gateway: Runtime) -> None:
    """Not with a machine's groups, its client id, or its subject."""
    claims = {"groups": ["bot-engineers"], "client_id": "ci-bot", "sub": "bot-engineer", "common_name": "bot.access"}
    done = finish_sign_in(gateway, start_sign_in(gateway), "visitor", **claims)
    answer = gateway.ask("GET", DASHBOARD, {"Cookie": f"__Host-mbgate={done.cookie('__Host-mbgate')}"})
    assert (answer.status, reason(answer)) == (403, "role-not-mapped")
    answer = gateway.ask("GET", DASHBOARD, cookie_of(gateway, "visitor", kind="machine", claims=claims))
    assert (answer.status, reason(answer)) == (403, "role-not-mapped")
    assert [event["principal_kind"] for event in gateway.events(4)[-2:]] == ["person", "person"]
    assert gateway.world.of("origin") == []


def test_nor_behind_access(behind_access: Runtime) -> None:
    """What the provider says of a person is said of a person."""
    custom = {"groups": ["bot-engineers"], "common_name": "bot.access", "client_id": "ci-bot"}
    answer = behind_access.ask("GET", DASHBOARD, {"Cf-Access-Jwt-Assertion": access_token("visitor", custom=custom)})
    assert (answer.status, reason(answer)) == (403, "role-not-mapped")


@pytest.mark.parametrize(
    ("verified", "status"), [(True, 200), (False, 403), (None, 403), ("true", 403), (1, 403), ([True], 403)], ids=str
)
def test_an_address_that_nobody_checked_gives_no_role(
    deploy: Callable[[Deployment], Runtime], verified: Any, status: int
) -> None:
    """A machine's role may ask for a verified address, and for nothing else that is called so."""
    runtime = deploy(
        Deployment(
            roles={"postman": bot({"issuer": "workforce", "claims": {"email": "ci@acme.test"}})},
            groups={"postman": [6]},
        )
    )
    answer = ask(runtime, bearer(groups=[], email="ci@acme.test", email_verified=verified))
    assert answer.status == status
    if status == 403:
        assert reason(answer) == "role-not-mapped"
        assert runtime.events(1)[0]["principal"] == "bot-engineer"


def test_behind_access_the_address_is_the_one_that_access_verified(deploy: Callable[[Deployment], Runtime]) -> None:
    """A claim of the provider beside it is nobody's address; one that the provider calls unverified is no one."""
    by_address = [{"issuer": "workforce", "claims": {"email": "boss@acme.test"}}]
    runtime = deploy(Deployment(mode="access", roles={"exec": {"match": by_address}}))

    def of(**more: Any) -> Answer:
        return runtime.ask("GET", DASHBOARD, {"Cf-Access-Jwt-Assertion": access_token("visitor", **more)})

    assert of(email="Boss@acme.test").status == 200
    for custom in ({"email": "boss@acme.test"}, {"email": "boss@acme.test", "email_verified": True}):
        answer = of(custom=custom)
        assert (answer.status, reason(answer)) == (403, "role-not-mapped")
    for verified in (False, "false", "true", 0):
        answer = of(email="boss@acme.test", custom={"email_verified": verified})
        assert (answer.status, reason(answer)) == (401, "token-claims-invalid")


def test_a_machine_is_one_everywhere(gateway: Runtime) -> None:
    """To whoami and on the denied page; what a page told a person of the same name is not told to it."""
    me = ask(gateway, bearer(), "/_gateway/whoami").json
    assert (me["kind"], me["issuer"], me["role"]) == ("machine", "workforce", "bot")
    person = {**PAGE, **cookie_of(gateway, "analyst")}
    link = gateway.ask("GET", "/dashboard/3", person).headers["location"]
    assert b"resource-not-granted" in gateway.ask("GET", link, person).body
    same_name = {**PAGE, "Authorization": f"Bearer {bearer(sub='sub-analyst')}"}
    page = gateway.ask("GET", link, same_name).body.decode()
    assert "resource-not-granted" not in page
    assert "<dd><bdi>bot</bdi></dd>" in page


def test_each_issuers_tokens_are_taken_for_its_own_machines(two: Runtime) -> None:
    """The role asks for the issuer by name: the same claims of another one give nothing."""
    assert ask(two, token("ci")).status == 200
    assert ask(two, token("ci")).status == 200
    me = ask(two, token("ci"), "/_gateway/whoami").json
    assert (me["kind"], me["issuer"], me["sub"], me["role"]) == ("machine", "ci", REPOSITORY, "ci-bot")
    for other in (token("cd"), bearer(sub=REPOSITORY, groups=[])):
        answer = ask(two, other)
        assert (answer.status, reason(answer)) == (403, "role-not-mapped")
    assert [event["issuer"] for event in two.events(5)] == ["ci", "ci", "ci", "cd", "workforce"]
    assert ask(two, bearer()).status == 200


FOREIGN: list[tuple[str, Callable[[], str], str]] = [
    ("for another's audience", lambda: token("ci", aud=f"{PUBLIC}/cd"), "token-audience-foreign"),
    ("for the provider's audience", lambda: token("ci", aud=PUBLIC), "token-audience-foreign"),
    ("for no audience", lambda: token("ci", aud=None), "token-audience-foreign"),
    ("signed by another's key", lambda: token("ci", by=signer("cd")), "token-key-unknown"),
    ("signed by the provider's key", lambda: token("ci", by=signer("idp")), "token-key-unknown"),
    ("of the provider, signed by ci", lambda: bearer(by=signer("ci")), "token-key-unknown"),
    ("under its key id, by another's key", lambda: token("ci", signer("cd"), {"kid": "ci"}), "token-signature-invalid"),
    ("of an unknown issuer", lambda: token("ci", iss=outside("evil")), "token-issuer-foreign"),
    ("of another spelling", lambda: token("ci", iss=f"{outside('ci')}/"), "token-issuer-foreign"),
    ("in capitals", lambda: token("ci", iss=outside("ci").upper()), "token-issuer-foreign"),
    ("of two issuers", lambda: token("ci", iss=[outside("ci")]), "token-malformed"),
    ("of no issuer", lambda: token("ci", iss=None), "token-malformed"),
    ("of a prototype's name", lambda: token("ci", iss="__proto__"), "token-issuer-foreign"),
    ("in answer to a sign-in", lambda: token("ci", nonce="n"), "token-type-foreign"),
    ("for the gateway's client as well", lambda: token("ci", aud=["mb gate", f"{PUBLIC}/ci"]), "token-type-foreign"),
    ("of the provider, for its client too", lambda: bearer(aud=[PUBLIC, "mb gate"]), "token-type-foreign"),
    ("without a subject", lambda: token("ci", sub=None), "token-claims-invalid"),
    ("that is over", lambda: token("ci", exp=1), "token-expired"),
]


@pytest.mark.parametrize(("make", "expected"), [one[1:] for one in FOREIGN], ids=[one[0] for one in FOREIGN])
def test_a_token_is_judged_by_its_own_issuer_alone(two: Runtime, make: Callable[[], str], expected: str) -> None:
    """RFC 8725 sections 3.8 and 3.9: its keys, its audience, its name; none is borrowed from another issuer."""
    assert ask(two, token("ci")).status == 200
    two.forget()
    answer = ask(two, make())
    assert (answer.status, reason(answer)) == (401, expected)
    assert two.world.of("origin") == two.world.of("outside") == []


def test_the_same_key_id_at_two_issuers_is_two_keys(deploy: Callable[[Deployment], Runtime]) -> None:
    """A token that names one and is signed by the other's key of the same id is no token."""
    one, other = Signer("same"), Signer("same")
    runtime = deploy(replace(TWO, issuers=(trust("ci", one), trust("cd", other))))
    assert ask(runtime, token("ci", one)).status == 200
    forged = ask(runtime, token("ci", other))
    assert (forged.status, reason(forged)) == (401, "token-signature-invalid")
    assert reason(ask(runtime, token("cd", one))) == "token-signature-invalid"
    assert reason(ask(runtime, token("cd", other))) == "role-not-mapped"


def test_the_provider_need_not_vouch_for_machines(deploy: Callable[[Deployment], Runtime]) -> None:
    """Without a bearer audience its tokens are those of a stranger, also where others' are taken."""
    runtime = deploy(replace(TWO, bearer_audience=None))
    assert ask(runtime, token("ci")).status == 200
    for aud in (PUBLIC, "mb gate", ""):
        answer = ask(runtime, bearer(aud=aud))
        assert (answer.status, reason(answer)) == (401, "token-issuer-foreign")
    # An issuer whose audience is the client's would take ID tokens for bearer tokens.
    odd = deploy(replace(TWO, bearer_audience=None, issuers=(replace(trust("ci"), audience="mb gate"),)))
    assert reason(ask(odd, token("ci", aud="mb gate"))) == "bearer-not-accepted"


def test_behind_access_no_bearer_token_is_read(deploy: Callable[[Deployment], Runtime]) -> None:
    """Access answers before; whatever comes around it is refused."""
    runtime = deploy(replace(TWO, mode="access"))
    assert reason(ask(runtime, token("ci"))) == "access-token-missing"


def publish(runtime: Runtime, **keys: list[Signer]) -> None:
    """What each issuer publishes, by the first label of its host."""

    def handle(seen: Seen) -> Reply:
        found = keys[seen.host.split(".")[0]]
        return Reply(200, {"keys": [one.public for one in found]}, {"content-type": "application/json"})

    runtime.world.provider.handle = handle  # type: ignore[method-assign]


def test_each_issuers_keys_are_refreshed(deploy: Callable[[Deployment], Runtime]) -> None:
    """A new key of one is good for that one only, and a withdrawn one ends."""
    runtime = deploy(TWO)
    publish(runtime, idp=[signer("idp"), signer("next")], ci=[signer("ci-2"), signer("next")], cd=[signer("cd")])
    old = token("ci")
    assert ask(runtime, old).status == 200
    runtime.cron()
    assert sorted(stored(runtime)) == ["issuer:cd", "issuer:ci", "provider"]
    assert stored(runtime)["issuer:ci"]["gone"] == ["ci"]
    second = deploy(TWO)
    publish(second, idp=[signer("idp")], ci=[signer("ci-2")], cd=[signer("cd")])
    second.cron()
    assert ask(second, old).status == 200
    adopted(second)
    assert reason(ask(second, old)) == "token-key-unknown"
    assert ask(second, token("ci", by=signer("ci-2"))).status == 200
    assert reason(ask(second, token("cd", by=signer("ci-2")))) == "token-key-unknown"
    assert reason(ask(second, bearer(by=signer("ci-2")))) == "token-key-unknown"


def test_an_issuers_name_is_no_other_source(deploy: Callable[[Deployment], Runtime]) -> None:
    """One that is called as the provider's or Access's keys are has keys of its own all the same."""
    names = ("provider", "access", "constructor")
    runtime = deploy(replace(TWO, issuers=tuple(trust(name) for name in names)))
    publish(runtime, idp=[signer("idp")], **{name: [signer(name)] for name in names})
    runtime.cron()
    assert sorted(stored(runtime)) == ["issuer:access", "issuer:constructor", "issuer:provider", "provider"]
    assert ask(runtime, bearer()).status == 200
    adopted(runtime)
    assert reason(ask(runtime, bearer(by=signer("provider")))) == "token-key-unknown"
    assert reason(ask(runtime, token("provider", by=signer("idp")))) == "token-key-unknown"
    assert reason(ask(runtime, token("provider"))) == "role-not-mapped"


def test_keys_that_were_seen_elsewhere_count_no_more(deploy: Callable[[Deployment], Runtime]) -> None:
    """An issuer of the same name that has moved does not inherit the keys of the place where it was."""
    before = deploy(TWO)
    publish(before, idp=[signer("idp")], ci=[signer("ci"), signer("former")], cd=[signer("cd")])
    before.cron()
    kept = before.world.store.values["jwks"]
    moved = replace(trust("ci"), issuer=outside("new"), jwks_uri=f"{outside('new')}/jwks")
    after = deploy(replace(TWO, issuers=(moved,)))
    after.world.store.values["jwks"] = kept
    assert ask(after, token("ci", iss=outside("new"))).status == 200
    time.sleep(0.15)
    answer = ask(after, token("ci", by=signer("former"), iss=outside("new")))
    assert (answer.status, reason(answer)) == (401, "token-key-unknown")
