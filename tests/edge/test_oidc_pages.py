"""The OIDC provider's pages: sign-in, its errors, and RP-initiated sign-out."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.edge.browser import Browser
from tests.edge.relying import CALLBACK, SIGNED_OUT, authorization, redeem, sign_in
from tests.edge.world import World


@pytest.mark.parametrize("email", ["analyst@acme.test", "nobody@acme.test", '"><script>'])
def test_a_wrong_password_is_said_on_the_page_without_naming_what_was_wrong(provider: World, email: str) -> None:
    browser = Browser()
    page = browser.open(authorization(provider))
    answer = browser.request("POST", page.extensions["address"], data={"email": email, "password": "wrong"})
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert "don't belong together" in answer.text
    assert '"><script>' not in answer.text
    again = browser.submit(answer, email="", password="")
    assert again.status_code == 401


def test_the_sign_in_page_is_labelled_and_needs_no_script(provider: World) -> None:
    page = Browser().open(authorization(provider, login_hint="analyst@acme.test"))
    assert page.status_code == 200
    assert '<html lang="en">' in page.text
    for name in ("email", "password"):
        assert f'<label for="{name}">' in page.text
        assert f'id="{name}"' in page.text
    assert "<script" not in page.text
    assert 'value="analyst@acme.test"' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_an_expired_interaction_is_explained(provider: World) -> None:
    answer = Browser().request("GET", f"{provider.issuer}/interaction/unknown")
    assert answer.status_code == 400
    assert "expired" in answer.text


def test_signing_out_ends_the_session_and_returns_to_the_client(provider: World) -> None:
    browser = Browser()
    token = redeem(provider, sign_in(provider, browser)).json()["id_token"]
    silent = browser.request("GET", authorization(provider))
    assert silent.headers["location"].startswith(CALLBACK)
    query = urlencode({"id_token_hint": token, "post_logout_redirect_uri": SIGNED_OUT, "state": "s"})
    page = browser.request("GET", f"{provider.issuer}/session/end?{query}")
    assert ".click()" in page.text
    assert 'name="logout" value="yes"' in page.text
    hidden = page.text.split('name="xsrf" value="')[1].split('"')[0]
    url = page.text.split('action="')[1].split('"')[0]
    answer = browser.request("POST", url, data={"xsrf": hidden, "logout": "yes"})
    assert answer.headers["location"].startswith(SIGNED_OUT)
    after = browser.open(authorization(provider))
    assert "password" in after.text


def test_signing_out_leads_nowhere_else(provider: World) -> None:
    query = urlencode({"client_id": "mbgate", "post_logout_redirect_uri": "http://evil.test/"})
    answer = Browser().request("GET", f"{provider.issuer}/session/end?{query}")
    assert answer.status_code == 400
