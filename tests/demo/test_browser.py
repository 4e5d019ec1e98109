"""The same in Chromium: real cookies, real redirects, the application's own calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.chromium import chromium_running

pytestmark = [pytest.mark.demo, pytest.mark.engine, pytest.mark.browser]

Demo = Any


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def sign_in(page: Page, demo: Demo, role: str | None, path: str = "/") -> None:
    account = demo.account(role)
    page.goto(demo.status["gateway_url"] + path)
    page.fill("input[type=email]", account["email"])
    page.fill("input[type=password]", account["password"])
    page.click("button")


@pytest.mark.parametrize(
    ("role", "path", "title"),
    [
        ("analyst", "/dashboard/1", "Sales overview"),
        ("engineer", "/dashboard/2", "Product health"),
        ("exec", "/dashboard/3", "Board numbers"),
    ],
)
def test_a_person_opens_their_dashboard_and_sees_its_chart(
    demo: Demo, page: Page, role: str, path: str, title: str
) -> None:
    sign_in(page, demo, role, path)
    expect(page).to_have_url(demo.status["gateway_url"] + path)
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator("svg[role=img]").first).to_be_visible()
    assert page.get_by_role("alert").count() == 0


def test_a_denial_leads_to_a_page_that_helps_and_back(demo: Demo, page: Page) -> None:
    sign_in(page, demo, "analyst", "/dashboard/3")
    expect(page.get_by_role("heading", name="Not shared with your role")).to_be_visible()
    page.get_by_role("link", name="Dashboard 1").click()
    expect(page.get_by_role("heading", name="Sales overview")).to_be_visible()


def test_a_person_without_a_role_is_told(demo: Demo, page: Page) -> None:
    sign_in(page, demo, None)
    expect(page.get_by_role("heading", name="No role yet")).to_be_visible()
    assert page.get_by_role("link").count() == 0


def test_a_refused_download_says_why_in_the_application(demo: Demo, page: Page) -> None:
    sign_in(page, demo, "analyst", "/question/1")
    page.get_by_role("button", name="Download CSV").click()
    expect(page.get_by_role("alert")).to_contain_text("Not allowed")


def test_signing_out_and_coming_back(demo: Demo, page: Page) -> None:
    sign_in(page, demo, "exec")
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out").click()
    left = page.context.cookies(demo.status["gateway_url"])
    assert not {"__Host-mbgate", "CF_Authorization"} & {cookie["name"] for cookie in left if cookie["value"]}
    if demo.identity == "access":
        # Access ends its own session, not the provider's, which lets the person in again without asking.
        return
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    page.goto(demo.status["gateway_url"] + "/dashboard/3")
    expect(page.locator("input[type=password]")).to_be_visible()


def test_the_browser_holds_no_credential_of_metabase(demo: Demo, page: Page) -> None:
    sign_in(page, demo, "analyst", "/dashboard/1")
    expect(page.locator("svg[role=img]").first).to_be_visible()
    cookies = page.context.cookies(demo.status["gateway_url"])
    names = {cookie["name"] for cookie in cookies}
    assert "__Host-mbgate" in names
    assert not any("metabase" in name.lower() for name in names)
    session = next(cookie for cookie in cookies if cookie["name"] == "__Host-mbgate")
    assert session["httpOnly"]
    assert session["secure"]
    assert page.evaluate("document.cookie") == ""
