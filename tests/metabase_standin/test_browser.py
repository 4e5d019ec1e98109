"""The application in Chromium: it draws, it fits a phone, and it shows a gateway's refusal in place of a chart."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.chromium import chromium_running

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "0a1b2c3d-0000-4000-8000-00000000abcd"
PASSWORD = "correct-horse-7"
PAGES = ["/", "/dashboard/1", "/dashboard/2", "/dashboard/3", "/question/7", "/question", "/browse/databases", "/admin"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("browser")
    command = [sys.executable, "-m", "localcloud.metabase", "--state", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "MB_SETUP_TOKEN": TOKEN})
    address = f"http://127.0.0.1:{port}"
    user = {"email": "admin@acme.test", "password": PASSWORD, "first_name": "Ada", "last_name": "Admin"}
    body = {"token": TOKEN, "user": user, "prefs": {"site_name": "Acme BI"}}
    try:
        for _ in range(200):
            try:
                httpx.post(f"{address}/api/setup", json=body, trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser, url: str) -> Iterator[Page]:
    """Signed in, on a phone, in the dark; a fault of a script or of the policy fails the test."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda m: faults.append(m.text) if "Content Security Policy" in m.text else None)
    opened.goto(f"{url}/dashboard/2")
    opened.fill("input[type=email]", "admin@acme.test")
    opened.fill("input[type=password]", PASSWORD)
    opened.click("button")
    expect(opened.get_by_role("heading", name="Product health")).to_be_visible()
    yield opened
    context.close()
    assert faults == []


@pytest.mark.parametrize("path", PAGES)
def test_every_page_draws_and_fits_a_phone(page: Page, url: str, path: str) -> None:
    page.goto(url + path)
    expect(page.locator("h1")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.get_by_role("alert").count() == 0
    assert page.get_by_text("Loading…").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    expect(page.get_by_text("Metabase stand-in")).to_be_visible()


@pytest.mark.parametrize(("number", "shapes"), [(1, "rect.bar"), (1, "path.line"), (2, "path.slice"), (3, "rect.bar")])
def test_charts_are_drawn_with_axes(page: Page, url: str, number: int, shapes: str) -> None:
    page.goto(f"{url}/dashboard/{number}")
    expect(page.locator(f"svg[role=img] {shapes}").first).to_be_visible()
    assert page.locator("svg[role=img] text").count() > 4


def test_a_filter_asks_again(page: Page, url: str) -> None:
    page.goto(f"{url}/dashboard/1")
    expect(page.locator("rect.bar")).to_have_count(4)
    page.get_by_role("combobox", name="Category").select_option("Gizmo")
    expect(page.locator("rect.bar")).to_have_count(1)


def test_links_move_without_a_reload_and_back(page: Page, url: str) -> None:
    page.goto(url + "/")
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="Board numbers").click()
    expect(page.get_by_role("heading", name="Board numbers")).to_be_visible()
    assert page.url == f"{url}/dashboard/3-board-numbers"
    page.go_back()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    assert page.evaluate("window.stayed") is True


def test_a_refusal_of_the_gateway_is_shown_in_place_of_a_chart(page: Page, url: str) -> None:
    problem = {"title": "Not shared with your role", "detail": "Question 3 is not open to analysts.", "status": 403}

    def refuse(route: Route) -> None:
        route.fulfill(status=403, content_type="application/problem+json", body=json.dumps(problem))

    page.route("**/dashcard/3/card/3/query", refuse)
    page.goto(f"{url}/dashboard/2")
    expect(page.get_by_role("alert")).to_have_text("Not shared with your roleQuestion 3 is not open to analysts.")
    expect(page.get_by_role("cell", name="Widget").first).to_be_visible()


def test_sql_is_asked_and_its_failure_shown(page: Page, url: str) -> None:
    page.goto(f"{url}/question")
    page.get_by_label("SQL").fill("select 41 + 1 as answer")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("cell", name="42")).to_be_visible()
    page.get_by_label("SQL").fill("select * from nowhere")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("alert")).to_contain_text("no such table: nowhere")


def test_a_download_is_a_file(page: Page, url: str) -> None:
    page.goto(f"{url}/question/2")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV").click()
    assert waiting.value.suggested_filename.startswith("revenue_by_category_")
    assert Path(waiting.value.path()).read_text().startswith("Category,Revenue")


def test_signing_out_ends_the_session(page: Page, url: str) -> None:
    page.get_by_role("link", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.request.get(f"{url}/api/user/current").status == 401
