"""The gateway's own pages in workerd: language and direction, what locks them down, and that each one helps."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.worker.deployment import Deployment
from tests.worker.fakes import World
from tests.worker.gallery import BEHIND_ACCESS, BRAND, LOGO, PAGES, in_language
from tests.worker.people import PAGE, cookie_of, open_cookie, seal, start_sign_in
from tests.worker.runtime import Answer, Runtime

pytestmark = pytest.mark.slow

LANGUAGES = {"en": "ltr", "de": "ltr", "ar": "rtl"}
HOSTILE = "Acme </title><script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"


class Read(HTMLParser):
    """A page as a browser would see it: tags, texts by tag, and whether every tag that opens closes."""

    VOID = frozenset({"meta", "img", "input", "br", "hr", "link", "path", "rect", "circle"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: dict[str, str] = {}
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs), (tag, attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag] = self.texts.get(tag, "") + data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]

    def hrefs(self) -> list[str]:
        """Where links lead."""
        return [str(attributes["href"]) for attributes in self.of("a")]


def read(answer: Answer) -> Read:
    return Read(answer.body.decode())


@pytest.fixture(scope="module")
def with_logo(world: World) -> Iterator[Runtime]:
    """A gateway whose company has a logo, a colour, and people to ask."""
    runtime = Runtime(Deployment(brand=dict(BRAND)), world)
    runtime.warm()
    yield runtime
    runtime.close()


def check(answer: Answer, tag: str, status: int, logo: str | None, form_action: str) -> Read:
    """What holds for every page."""
    html, page = answer.body.decode(), read(answer)
    assert answer.status == status
    assert page.of("html") == [{"lang": tag, "dir": LANGUAGES[tag]}]
    assert answer.headers["content-language"] == tag
    assert page.texts["title"] == f"{page.texts['h1']} · Acme BI"
    nonce = page.of("style")[0]["nonce"]
    pictures = "img-src data:; " if logo else ""
    assert answer.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'nonce-{nonce}'; {pictures}form-action 'self' {form_action}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "<script" not in html
    assert not re.search("undefined|null|\\[object|NaN", html), "a value that is missing"
    assert not re.search(r"""https?://|@import|url\(|["'(]//""", html), "an address outside"
    assert [image["alt"] for image in page.of("img")] == (["Acme BI"] if logo else [])
    assert [image["src"] for image in page.of("img")] == ([logo] if logo else [])
    assert len(page.of("h1")) == len(page.of("main")) == 1
    assert re.search(r'<code class="id" dir="ltr">[0-9a-f-]{36}</code>', html), "the request id"
    return page


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_every_page(gateway: Runtime, name: str, tag: str) -> None:
    """In each language, without a logo."""
    show, status = PAGES[name]
    check(show(gateway, in_language(tag)), tag, status, None, "https://idp.example.com")


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_with_a_logo(with_logo: Runtime, name: str, tag: str) -> None:
    """The picture is embedded, and the policy allows embedded pictures only."""
    with_logo.world.reset()
    show, status = PAGES[name]
    check(show(with_logo, in_language(tag)), tag, status, LOGO, "https://idp.example.com")


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("name", BEHIND_ACCESS)
def test_pages_behind_access(behind_access: Runtime, name: str, tag: str) -> None:
    """The same, where Cloudflare signs people in."""
    show, status = BEHIND_ACCESS[name]
    check(show(behind_access, in_language(tag)), tag, status, None, "https://acme.cloudflareaccess.com")


def test_languages_say_different_things(gateway: Runtime) -> None:
    """No page was left in English."""
    for name, (show, _) in PAGES.items():
        titles = {read(show(gateway, in_language(tag))).texts["h1"] for tag in LANGUAGES}
        assert len(titles) == 3, name


def test_a_program_is_told_in_english(gateway: Runtime) -> None:
    """Problem documents are compared and logged."""
    headers = {**cookie_of(gateway, "analyst"), "Accept-Language": "ar"}
    assert gateway.ask("GET", "/api/dashboard/3", headers).json["title"] == "Not shared with your role"


@pytest.mark.parametrize("header", ["", "*", "xx", ";q=", "de;q=9", "\x80\xff", "a" * 8000, "de," * 4000, "__proto__"])
def test_a_hostile_language_is_the_default_or_ours(gateway: Runtime, header: str) -> None:
    """Whatever the header holds."""
    answer = gateway.ask("GET", "/_gateway/sign-out", [*PAGE.items(), ("Accept-Language", header)])
    assert answer.status == 200
    assert read(answer).of("html")[0]["lang"] in LANGUAGES


def test_hostile_brands_are_text(deploy: Callable[[Deployment], Runtime]) -> None:
    """A name, a colour, a logo and an address from the settings can't become anything but what they are."""
    brand = {
        "name": HOSTILE,
        "color": "red;}</style><script>",
        "logo": 'data:image/svg+xml,<svg onload="x">',
        "support_url": "javascript:alert(1)",
        "support_text": HOSTILE,
    }
    runtime = deploy(Deployment(brand=brand))
    for tag in LANGUAGES:
        for name, (show, status) in PAGES.items():
            answer = show(runtime, in_language(tag))
            html, page = answer.body.decode(), read(answer)
            assert answer.status == status, name
            assert page.texts["title"].endswith(HOSTILE)
            assert not page.of("script")
            assert not page.of("img")
            assert "javascript:" not in html
            assert "img-src" not in answer.headers["content-security-policy"]
            assert len(re.findall("</style>", html)) == 1


def test_a_hostile_support_text_is_text(deploy: Callable[[Deployment], Runtime]) -> None:
    """So is the name in a mail's subject."""
    brand = {"name": HOSTILE, "support_url": "mailto:a@b.test?cc=c@d.test", "support_text": HOSTILE}
    page = read(PAGES["denied"][0](deploy(Deployment(brand=brand)), in_language("en")))
    [mail] = [href for href in page.hrefs() if href.startswith("mailto:")]
    query = parse_qs(urlsplit(mail).query)
    assert query["cc"] == ["c@d.test"]
    assert query["subject"][0].startswith(HOSTILE)
    assert not page.of("script")


HOSTILE_PATHS = ["/x/&quot'onload='x", "/x/<script>", "/%3Cscript%3E", "/x/%E2%80%AEgpj", "/" + "a" * 3000]


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_hostile_paths_are_text(gateway: Runtime, path: str) -> None:
    """Also where they are shown as what somebody asked for."""
    own = {**in_language("ar"), **cookie_of(gateway, "analyst")}
    answer = gateway.ask("GET", path, own)
    if answer.status == 302:
        answer = gateway.ask("GET", answer.headers["location"], own)
    assert not read(answer).of("script")


def test_the_denied_page_helps(with_logo: Runtime) -> None:
    """Why, who one is, which rule, what opens, whom to ask."""
    with_logo.world.reset()
    answer = PAGES["denied"][0](with_logo, in_language("de"))
    html, page = unescape(answer.body.decode()), read(answer)
    for text in ("Nicht mit Ihrer Rolle geteilt", "analyst@acme.test", "<bdi>analyst</bdi>", "resource-not-granted"):
        assert text in html, text
    assert page.hrefs()[0] == "/dashboard/1"
    mail = urlsplit(next(href for href in page.hrefs() if href.startswith("mailto:")))
    assert mail.path == "bi-team@acme.test"
    request_id = re.findall(r'dir="ltr">([0-9a-f-]{36})<', html)[0]
    assert request_id in parse_qs(mail.query)["subject"][0]
    assert "resource-not-granted" in parse_qs(mail.query)["body"][0]


def test_signing_in_again_leads_back(gateway: Runtime, behind_access: Runtime) -> None:
    """One button, to where the person was."""
    failed = read(PAGES["sign-in-failed"][0](gateway, in_language("en")))
    assert failed.hrefs() == ["/_gateway/sign-in?return_to=%2Fdashboard%2F1%3Ftab%3D2"]
    assert not failed.of("button")
    assert read(PAGES["provider-down"][0](gateway, in_language("en"))).hrefs() == failed.hrefs()
    assert read(PAGES["expired"][0](gateway, in_language("en"))).hrefs() == ["/_gateway/sign-in?return_to=%2F"]
    missing = read(BEHIND_ACCESS["access-missing"][0](behind_access, in_language("en")))
    assert missing.hrefs() == ["/dashboard/1?tab=2"]


def test_too_late_a_sign_in_leads_back_too(gateway: Runtime) -> None:
    """Its cookie is kept longer than it is good for."""
    started = start_sign_in(gateway, "/dashboard/1")
    [line] = [
        line for line in gateway.ask("GET", "/_gateway/sign-in", PAGE).cookies if line.startswith("__Host-mbgate-tx")
    ]
    assert "Max-Age=3600" in line
    told = open_cookie(gateway.deployment, started.cookie, "transaction")
    assert 500 < told["exp"] - time.time() < 610
    late = seal(gateway.deployment, "transaction", {**told, "exp": 1})
    headers = {**PAGE, "Cookie": f"__Host-mbgate-tx={late}"}
    answer = gateway.ask("GET", f"/_gateway/callback?code=c&state={started.query['state']}", headers)
    assert answer.status == 400
    assert "took too long" in answer.body.decode()
    assert read(answer).hrefs() == ["/_gateway/sign-in?return_to=%2Fdashboard%2F1"]
    assert gateway.world.of("outside") == []


def test_when_metabase_is_away(gateway: Runtime) -> None:
    """It is nobody's fault, and there is a way to try again, and when."""
    answer = PAGES["unreachable"][0](gateway, in_language("en"))
    html = answer.body.decode()
    assert "This is not your fault" in html
    assert f"Try again in about <bdi>{answer.headers['retry-after']} seconds</bdi>." in html
    assert read(answer).hrefs() == ["/dashboard/1?a=1&b=2"]


def test_signing_out_behind_access_says_what_stays(gateway: Runtime, behind_access: Runtime) -> None:
    """Access' own sign-in may outlive ours; the provider of mode `oidc` ends its own."""
    ours = PAGES["signed-out"][0](gateway, in_language("en"))
    theirs = BEHIND_ACCESS["signed-out"][0](behind_access, in_language("en"))
    assert "may still be alive" not in ours.body.decode()
    assert "may still be alive" in theirs.body.decode()
    assert read(theirs).hrefs() == ["/", "/cdn-cgi/access/logout"]
    assert "may still be alive" in BEHIND_ACCESS["sign-out"][0](behind_access, in_language("en")).body.decode()
