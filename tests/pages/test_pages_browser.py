"""The gateway's own pages in Chromium: legible and usable on a phone and a desk, in the dark, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.worker.deployment import PUBLIC, ROOT
from tests.worker.gallery import BEHIND_ACCESS, PAGES, in_language
from tests.worker.runtime import Answer, Runtime

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = ROOT / "build" / "screenshots"
EVERY = [("plain", name) for name in PAGES] + [("logo", name) for name in PAGES]
EVERY += [("access", name) for name in BEHIND_ACCESS]
PHONE, DESK = {"width": 320, "height": 640}, {"width": 1280, "height": 800}

Shown = Callable[..., Any]

MEASURES = """() => {
  const root = document.documentElement;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const charactersByLine = (block) => {
    const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    const counts = new Map();
    const range = document.createRange();
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      for (let i = 0; i < node.length; i += 1) {
        range.setStart(node, i);
        range.setEnd(node, i + 1);
        const { top, bottom } = range.getBoundingClientRect();
        const line = Math.round((top + bottom) / 20);
        counts.set(line, (counts.get(line) ?? 0) + 1);
      }
    }
    return [...counts.values()];
  };
  return {
    overflow: root.scrollWidth - root.clientWidth,
    targets: all("a, button, input").map((one) => {
      const { width, height } = one.getBoundingClientRect();
      return { text: one.textContent, width, height };
    }),
    sizes: all("main p, main dd, main a, main button").map((one) => parseFloat(getComputedStyle(one).fontSize)),
    longest: Math.max(...all("p, h1, h2").flatMap(charactersByLine)),
    display: getComputedStyle(document.body).display,
  };
}"""


def answer_of(runtimes: dict[str, Runtime], which: str, name: str, tag: str) -> Answer:
    """A page of the gallery from real workerd."""
    runtime = runtimes[which]
    runtime.world.reset()
    show, status = (BEHIND_ACCESS if which == "access" else PAGES)[name]
    answer = show(runtime, in_language(tag))
    assert answer.status == status
    return answer


@contextmanager
def shown(chromium: Browser, answer: Answer, **context: Any) -> Iterator[Page]:
    """The answer in a tab, with its own headers; whatever else the page asks for would be a fault."""
    asked: list[str] = []
    complaints: list[str] = []

    def serve(route: Route) -> None:
        if not asked:
            headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
            route.fulfill(status=answer.status, headers=headers, body=answer.body)
        else:
            route.abort()
        asked.append(route.request.url)

    made = chromium.new_context(**{"viewport": DESK, **context})
    try:
        made.route("**/*", serve)
        page = made.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{PUBLIC}/page")
        yield page
        others = [url for url in asked[1:] if not url.endswith("/favicon.ico")]
        assert others == []
        # Chromium notes every status that is no success.
        assert [text for text in complaints if "Failed to load resource" not in text] == []
    finally:
        made.close()


@pytest.mark.parametrize("tag", ["en", "de", "ar"])
@pytest.mark.parametrize(("which", "name"), EVERY)
def test_it_fits_a_phone_and_a_desk(
    chromium: Browser, runtimes: dict[str, Runtime], which: str, name: str, tag: str
) -> None:
    """No sideways scrolling, targets that a thumb hits, text that can be read; the page's policy lets its style in."""
    with shown(chromium, answer_of(runtimes, which, name, tag)) as page:
        for viewport in (PHONE, DESK):
            page.set_viewport_size(viewport)
            found = page.evaluate(MEASURES)
            assert found["display"] == "grid"
            assert found["overflow"] <= 0
            for target in found["targets"]:
                assert target["height"] >= 44, target
                assert target["width"] >= 44, target
            assert all(size >= 16 for size in found["sizes"])
            assert found["longest"] <= 70


@pytest.mark.parametrize("tag", ["en", "ar"])
@pytest.mark.parametrize(("which", "name"), EVERY)
def test_axe_finds_nothing(chromium: Browser, runtimes: dict[str, Runtime], which: str, name: str, tag: str) -> None:
    """No violation of any weight, contrast among them, light and dark."""
    with shown(chromium, answer_of(runtimes, which, name, tag), bypass_csp=True, reduced_motion="reduce") as page:
        page.add_script_tag(path=AXE)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            result = page.evaluate("() => axe.run(document)")
            found = [(one["id"], one["impact"], [n["html"] for n in one["nodes"]]) for one in result["violations"]]
            assert found == []
            # Not even "can't tell", which axe says of text whose background it can't work out.
            assert "color-contrast" in {rule["id"] for rule in result["passes"]}
            unsure = [one for one in result["incomplete"] if one["id"] == "color-contrast"]
            assert [node["html"] for one in unsure for node in one["nodes"]] == []


@pytest.mark.parametrize("tag", ["en", "ar"])
@pytest.mark.parametrize(("which", "name"), EVERY)
def test_the_keyboard_goes_where_the_eye_goes(
    chromium: Browser, runtimes: dict[str, Runtime], which: str, name: str, tag: str
) -> None:
    """Every control once, from top to bottom and along the line, each with a ring around it."""
    answer = answer_of(runtimes, which, name, tag)
    with shown(chromium, answer) as page:
        count = page.locator("a, button").count()
        seen = []
        for _ in range(count):
            page.keyboard.press("Tab")
            seen.append(
                page.evaluate(
                    "() => { const one = document.activeElement, { top, left } = one.getBoundingClientRect(),"
                    " { outlineStyle, outlineWidth } = getComputedStyle(one);"
                    " return [one.tagName, Math.round(top + scrollY), left, outlineStyle, parseFloat(outlineWidth)]; }"
                )
            )
        sign = -1 if tag == "ar" else 1
        places = [(top, sign * left) for _, top, left, _, _ in seen]
        assert all(tag_name in {"A", "BUTTON"} for tag_name, *_ in seen)
        assert places == sorted(places)
        assert len(set(places)) == count
        assert all(style == "solid" and width >= 2 for *_, style, width in seen)


def test_people_who_asked_for_less_motion_get_none(chromium: Browser, runtimes: dict[str, Runtime]) -> None:
    """And the others get little."""
    duration = "() => getComputedStyle(document.querySelector('.go')).transitionDuration"
    answer = answer_of(runtimes, "plain", "denied", "en")
    with shown(chromium, answer, reduced_motion="reduce") as page:
        assert page.evaluate(duration) == "0s"
    with shown(chromium, answer, reduced_motion="no-preference") as page:
        assert page.evaluate(duration) != "0s"


def test_forced_colours_leave_edges(chromium: Browser, runtimes: dict[str, Runtime]) -> None:
    """Where backgrounds are gone, what can be pressed still has an edge, and the main action a stronger one."""
    with shown(chromium, answer_of(runtimes, "plain", "denied", "en"), forced_colors="active") as page:
        widths = page.evaluate(
            "() => ['.main', 'button.go', 'main'].map((one) =>"
            " parseFloat(getComputedStyle(document.querySelector(one)).borderInlineStartWidth))"
        )
        assert widths == [3, 1, 1]


def test_the_request_id_is_selected_with_one_click(chromium: Browser, runtimes: dict[str, Runtime]) -> None:
    """People pass it on."""
    with shown(chromium, answer_of(runtimes, "plain", "unreachable", "ar")) as page:
        code = page.locator("code.id").last
        code.click()
        assert page.evaluate("() => getSelection().toString()").strip() == code.inner_text()


def test_on_paper_links_say_where_they_lead(chromium: Browser, runtimes: dict[str, Runtime]) -> None:
    """Nothing that only works on a screen is printed."""
    with shown(chromium, answer_of(runtimes, "plain", "denied", "en"), color_scheme="dark") as page:
        page.emulate_media(media="print")
        assert not page.locator("form").is_visible()
        assert page.evaluate("() => getComputedStyle(document.body).color") == "rgb(23, 26, 35)"
        after = "() => getComputedStyle(document.querySelector('a.go'), '::after').content"
        assert "/dashboard/1" in page.evaluate(after)


@pytest.mark.parametrize("tag", ["en", "de", "ar"])
@pytest.mark.parametrize(("which", "name"), EVERY)
def test_pictures(chromium: Browser, runtimes: dict[str, Runtime], which: str, name: str, tag: str) -> None:
    """For the eye: every page, light and dark, on a desk and on a phone, in `build/screenshots`."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with shown(chromium, answer_of(runtimes, which, name, tag), reduced_motion="reduce") as page:
        for device, viewport in (("desk", DESK), ("phone", {"width": 390, "height": 780})):
            page.set_viewport_size(viewport)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                path = PICTURES / f"{which}-{name}-{tag}-{scheme}-{device}.png"
                page.screenshot(path=path, full_page=True)
                assert path.stat().st_size > 5000
