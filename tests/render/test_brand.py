"""The company's name, colour, logo and support address: what is embedded, and what is refused with which words."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from infra.errors import RenderError
from infra.render.brand import MAX_BYTES, PNG, brand_context, embedded_logo
from infra.settings.sections import BrandSettings
from tests.worker.gallery import LOGO

OPEN = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">'


def refused(folder: Path, content: str | bytes, name: str = "logo.svg") -> str:
    """The error's text for a file with this content."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(RenderError) as caught:
        embedded_logo(folder, name)
    assert caught.value.code == "logo-unusable"
    assert caught.value.faults[0].help
    return str(caught.value)


def test_a_plain_svg_and_a_png_are_embedded(tmp_path: Path) -> None:
    """As they are, byte for byte; a mark at the beginning and a declaration are no fault."""
    inside = (
        '<title>Acme</title><style>.a{fill:url(#g)}</style><defs><linearGradient id="g"/></defs>'
        '<path class="a" style="stroke:#fff" fill="url(#g)" d="M0 0h9"/><use xlink:href="#g" href="#g"/>'
    )
    svg = f'\ufeff<?xml version="1.0" encoding="UTF-8"?><!-- Acme -->{OPEN}{inside}</svg>'.encode()
    for name, data, kind in (("a.svg", svg, "svg+xml"), ("a.png", PNG + b"rest", "png")):
        (tmp_path / name).write_bytes(data)
        head, _, body = embedded_logo(tmp_path, name).partition(",")
        assert head == f"data:image/{kind};base64"
        assert base64.b64decode(body) == data


def test_the_picture_of_the_other_tests_would_pass(tmp_path: Path) -> None:
    """They give it to the Worker directly."""
    (tmp_path / "logo.svg").write_bytes(base64.b64decode(LOGO.partition(",")[2]))
    assert embedded_logo(tmp_path, "logo.svg") == LOGO


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("<script>alert(1)</script>", "it holds `<script>`"),
        ("<SCRIPT>alert(1)</SCRIPT>", "it holds `<SCRIPT>`"),
        ('<g>\n<path d="M0 0" onload="x()"/></g>', "logo.svg:2: it holds the event handler `onload`"),
        ('<g OnClick="x()"/>', "event handler `OnClick`"),
        ("<foreignObject/>", "`<foreignObject>`"),
        ('<image href="x.png"/>', "`<image>`"),
        ('<a href="#x"/>', "`<a>`"),
        ('<animate attributeName="href" to="x"/>', "`<animate>`"),
        ('<use href="https://evil.example/#x"/>', "outside the file"),
        ('<use xlink:href="data:image/svg+xml,x"/>', "outside the file"),
        ('<use href=" javascript:x"/>', "outside the file"),
        ('<g xml:base="https://evil.example/"/>', "outside the file"),
        ('<path fill="url(https://evil.example/)"/>', "could load something"),
        ('<path style="fill:\\75rl(x)"/>', "could load something"),
        ("<path style=\"fill:image-set('x' 1x)\"/>", "could load something"),
        ("<style>@import 'x';</style>", "could load something"),
        ("<style>path{fill:url( x )}</style>", "could load something"),
        ("<style><![CDATA[path{fill:u]]><![CDATA[rl(x)}]]></style>", "could load something"),
        ('<html xmlns="http://www.w3.org/1999/xhtml"/>', "`<html>`"),
        ('<script xmlns="http://www.w3.org/1999/xhtml"/>', "`<script>`"),
        ('<?xml-stylesheet href="x"?>', "processing instruction"),
    ],
)
def test_what_acts_or_points_outside_is_refused(tmp_path: Path, inside: str, said: str) -> None:
    """With the file, the line, and what to do."""
    text = refused(tmp_path, f"{OPEN}{inside}</svg>")
    assert said in text
    assert "logo.svg:" in text
    assert "save it as a plain SVG" in text or "PNG" in text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "neither a PNG file nor well-formed SVG"),
        ("hello", "neither a PNG file nor well-formed SVG"),
        (b"\xff\xd8\xff\xe0 JPEG", "neither a PNG file nor an SVG file in UTF-8"),
        (f"{OPEN}</svg>".encode("utf-16"), "in UTF-8"),
        ("<svg/>", "SVG's namespace"),
        ('<html xmlns="http://www.w3.org/2000/svg"/>', "SVG's namespace"),
        (f"<!DOCTYPE svg>{OPEN}</svg>", "document type declaration"),
        (f'<!DOCTYPE svg [<!ENTITY a "b">]>{OPEN}&a;</svg>', "document type declaration"),
        (f'<?xml-stylesheet href="x"?>{OPEN}</svg>', "processing instruction"),
        (f"{OPEN}<g></svg>", "mismatched tag"),
        (f"{OPEN}<!--{'x' * MAX_BYTES}--></svg>", f"{MAX_BYTES} are allowed"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_logo_is_refused(tmp_path: Path, content: str | bytes, said: str) -> None:
    """Whatever its name says."""
    assert said in refused(tmp_path, content)


def test_a_file_is_there_and_in_the_checkout(tmp_path: Path) -> None:
    """A link must not lead out either."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (tmp_path / "secret.png").write_bytes(PNG)
    (checkout / "logo.png").symlink_to(tmp_path / "secret.png")
    for path, said in (
        ("logo.png", "outside the checkout"),
        ("no.png", "no such file"),
        ("x/../../secret.png", "outs"),
    ):
        with pytest.raises(RenderError, match=said):
            embedded_logo(checkout, path)


def brand(**values: Any) -> BrandSettings:
    return BrandSettings.model_validate(values)


@pytest.mark.parametrize(
    "values",
    [
        {"logo": "/etc/logo.png"},
        {"logo": "../logo.png"},
        {"logo": "logo.gif"},
        {"supportUrl": "http://example.com"},
        {"supportUrl": "javascript:alert(1)"},
        {"supportUrl": "mailto:nobody"},
        {"supportUrl": "https://example.com/<script>"},
        {"supportUrl": "https://example.com/ x"},
        {"supportText": "the BI team"},
        {"color": "red"},
    ],
)
def test_settings_are_bounded(values: dict[str, str]) -> None:
    """Before anything is read."""
    with pytest.raises(ValidationError):
        brand(**values)


def test_the_gateway_gets_every_setting(tmp_path: Path) -> None:
    """Nothing is left out on the way, and a support address without a text is its own."""
    (tmp_path / "logo.png").write_bytes(PNG)
    full = brand(name="Acme", color="#123456", logo="logo.png", supportUrl="mailto:bi@acme.test?cc=x", supportText="BI")
    made = brand_context(tmp_path, **full.model_dump())
    assert re.fullmatch(r"data:image/png;base64,[A-Za-z0-9+/]+=*", made.pop("logo") or "")
    assert made == {
        "name": "Acme",
        "color": "#123456",
        "support_url": "mailto:bi@acme.test?cc=x",
        "support_text": "BI",
    }
    for url, text in (("mailto:bi@acme.test?cc=x", "bi@acme.test"), ("https://help.acme.test/", "help.acme.test")):
        assert brand_context(tmp_path, **brand(supportUrl=url).model_dump())["support_text"] == text
    assert brand_context(tmp_path, **brand().model_dump())["support_text"] is None
