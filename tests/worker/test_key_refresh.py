"""Public keys: shipped with the version, refreshed by the cron trigger, adopted after an answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.worker.deployment import Deployment, signer
from tests.worker.messages import Reply
from tests.worker.people import access_token, bearer
from tests.worker.runtime import Runtime

pytestmark = pytest.mark.slow

DASHBOARD = "/api/dashboard/1"


def ask(runtime: Runtime, token: str) -> int:
    return runtime.ask("GET", DASHBOARD, {"Authorization": f"Bearer {token}"}).status


def stored(runtime: Runtime) -> Any:
    value = runtime.world.store.values.get("jwks")
    return None if value is None else json.loads(value)


def adopted(runtime: Runtime) -> None:
    """Waits until the isolate has read the store, which it does after its first answer."""
    deadline = time.monotonic() + 5
    while runtime.world.store.reads < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)


def faults(runtime: Runtime) -> list[dict[str, Any]]:
    """The faults that were logged; waits for the first, since a line may come after the answer."""
    deadline = time.monotonic() + 5
    of_faults = lambda: [one for one in runtime.logged() if one["type"] == "mbgate.fault"]  # noqa: E731
    while not of_faults() and time.monotonic() < deadline:
        time.sleep(0.01)
    return of_faults()


def test_a_rotated_key_is_accepted_after_the_next_refresh(deploy: Callable[[Deployment], Runtime]) -> None:
    """Refused at first without a fetch; the cron trigger brings the new key; old and new are both good then."""
    runtime = deploy(Deployment())
    runtime.world.provider.jwks = {"keys": [signer("idp").public, signer("next").public]}
    runtime.cron()
    [fetched] = runtime.world.of("outside")
    assert (fetched.method, fetched.host, fetched.target) == ("GET", "idp.example.com", "/jwks")
    assert [key["kid"] for key in stored(runtime)["provider"]["keys"]] == ["idp", "next"]
    assert ask(runtime, bearer(by=signer("next"))) == 401
    adopted(runtime)
    assert ask(runtime, bearer(by=signer("next"))) == 200
    assert ask(runtime, bearer()) == 200
    assert len(runtime.world.of("outside")) == 1


def test_a_withdrawn_key_ends_with_the_refresh(deploy: Callable[[Deployment], Runtime]) -> None:
    """Although it came with the version, and although its token was verified and remembered before."""
    runtime = deploy(Deployment())
    runtime.world.provider.jwks = {"keys": [signer("next").public]}
    runtime.cron()
    assert stored(runtime)["provider"]["gone"] == ["idp", "idp-ec"]
    token = bearer()
    assert ask(runtime, token) == 200
    adopted(runtime)
    assert ask(runtime, token) == 401


def test_each_issuer_has_keys_of_its_own(deploy: Callable[[Deployment], Runtime]) -> None:
    """A key of the provider signs nothing for Access, although both are refreshed together."""
    runtime = deploy(Deployment(mode="access"))
    runtime.world.provider.jwks = {"keys": [signer("next").public]}
    runtime.cron()
    assert sorted(stored(runtime)) == ["access", "provider"]
    token = access_token(by=signer("idp"))
    assert runtime.ask("GET", DASHBOARD, {"Cf-Access-Jwt-Assertion": token}).status == 401


def test_an_unchanged_set_is_not_written(gateway: Runtime) -> None:
    """The key store allows one write a second, and each costs."""
    gateway.world.provider.jwks = {"keys": [signer("next").public]}
    gateway.cron()
    gateway.cron()
    assert [seen.method for seen in gateway.world.of("kv")].count("PUT") == 1


GOOD = "next"
BAD: list[tuple[str, Any]] = [
    ("an error", Reply(500, b"boom")),
    ("a redirect", Reply(302, b"", {"location": "https://evil.example/jwks"})),
    ("no JSON", Reply(200, b"<html>")),
    ("no keys", Reply(200, {"keys": []})),
    ("no set", Reply(200, b"null")),
    ("only bad keys", Reply(200, {"keys": [{"kty": "oct", "kid": "x", "k": "c2VjcmV0"}]})),
    ("too large", Reply(200, b'{"keys":[' + b" " * 300_000 + b"]}")),
]


@pytest.mark.parametrize("reply", [reply for _, reply in BAD], ids=[name for name, _ in BAD])
def test_a_broken_answer_changes_nothing(gateway: Runtime, reply: Reply) -> None:
    """What was known stays known, and the log says that the refresh failed."""
    gateway.world.provider.jwks = {"keys": [signer(GOOD).public]}
    gateway.cron()
    before = stored(gateway)
    gateway.world.provider.handle = lambda _seen: reply  # type: ignore[method-assign]
    assert gateway.cron()["outcome"] == "ok"
    assert stored(gateway) == before
    [fault] = faults(gateway)
    assert (fault["reason"], fault["source"]) == ("keys-not-refreshed", "provider")
    assert not [seen for seen in gateway.world.of("outside") if "evil" in seen.host]


def test_a_broken_store_is_repaired(gateway: Runtime) -> None:
    """Text that is no JSON under our key does not stop the refresh for ever."""
    gateway.world.store.values["jwks"] = b"{"
    gateway.world.provider.jwks = {"keys": [signer(GOOD).public]}
    gateway.cron()
    assert [key["kid"] for key in stored(gateway)["provider"]["keys"]] == [GOOD]


def test_only_good_keys_are_kept(gateway: Runtime) -> None:
    """Private, symmetric, short, doubled and unnamed ones are left out."""
    good = signer(GOOD).public
    short = signer("short", "RS256", 1024).public
    doubled = signer("doubled").public
    keys = [
        good,
        {**good, "kid": ""},
        {**good, "kid": "private", "d": "AQ"},
        {**good, "kid": "enc", "use": "enc"},
        {**good, "kid": "hmac", "alg": "HS256"},
        short,
        doubled,
        doubled,
        None,
        "x",
    ]
    gateway.world.provider.jwks = {"keys": keys}
    gateway.cron()
    assert [key["kid"] for key in stored(gateway)["provider"]["keys"]] == [GOOD]


DAMAGED = [
    b"{",
    b"[]",
    b"null",
    b'{"provider":7}',
    b'{"provider":{"from":"https://idp.example.com/jwks","keys":[{"kty":"oct","kid":"idp","k":"AQ"}],"gone":7}}',
    b'{"provider":{"from":"https://former.example.com/jwks","keys":[],"gone":["idp"]}}',
]


@pytest.mark.parametrize("text", DAMAGED)
def test_what_the_store_holds_is_checked_again(deploy: Callable[[Deployment], Runtime], text: bytes) -> None:
    """A damaged value takes no key away that came with the version, and adds none that is bad."""
    runtime = deploy(Deployment())
    runtime.world.store.values["jwks"] = text
    assert ask(runtime, bearer()) == 200
    time.sleep(0.15)
    assert ask(runtime, bearer(sub="another")) == 200


def test_a_gateway_without_its_key_store_still_answers(deploy: Callable[[Deployment], Runtime]) -> None:
    """It goes on with the keys of its version, and says so in the log."""
    runtime = deploy(Deployment(without=("KEYS",)))
    assert ask(runtime, bearer()) == 200
    assert "keys-unreadable" in [fault["reason"] for fault in faults(runtime)]
