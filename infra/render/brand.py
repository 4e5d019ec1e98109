"""The company on the gateway's own pages: name, colour, logo as a data: URL, and where people can ask.

A logo is shown as a picture (`<img>`), in which browsers run no script and load nothing. It is checked all the same,
since what lies in the checkout may come from anywhere: an SVG holds shapes and nothing that acts or points outside.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from infra.errors import Fault, RenderError

MAX_BYTES = 20 * 1024
PNG = b"\x89PNG\r\n\x1a\n"
SVG = "http://www.w3.org/2000/svg"
_STRUCTURE = ("svg", "g", "defs", "symbol", "use", "title", "desc", "style", "switch")
_SHAPES = ("path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan")
_PAINT = ("clipPath", "mask", "pattern", "marker", "linearGradient", "radialGradient", "stop", "filter")
_FILTERS = ("Blend", "ColorMatrix", "Composite", "DropShadow", "Flood", "GaussianBlur", "Merge", "MergeNode", "Offset")
ELEMENTS = frozenset([*_STRUCTURE, *_SHAPES, *_PAINT, *(f"fe{name}" for name in _FILTERS)])
PLAIN = "save it as a plain SVG (shapes only), or use a PNG file"
STYLE_POINTS_OUT = re.compile(
    r"\\|@|//|(?:image|image-set|src|cross-fade|element)\s*\(|url\s*\(\s*(?![\"']?#)", re.IGNORECASE
)


def brand_context(
    root: Path,
    *,
    name: str,
    color: str,
    logo: str | None = None,
    support_url: str | None = None,
    support_text: str | None = None,
) -> dict[str, str | None]:
    """The gateway's `brand`; raises RenderError for a logo that can't be embedded."""
    return {
        "name": name,
        "color": color,
        "logo": embedded_logo(root, logo) if logo else None,
        "support_url": support_url,
        "support_text": support_text or _plain_address(support_url),
    }


def embedded_logo(root: Path, path: str) -> str:
    """The picture as a data: URL."""
    file = (root / path).resolve()
    if not file.is_relative_to(root.resolve()):
        _fail(path, "it lies outside the checkout", "copy it into the checkout and name it from there")
    if not file.is_file():
        _fail(path, "there is no such file", "name it from the checkout's root")
    data = file.read_bytes()
    if len(data) > MAX_BYTES:
        _fail(path, f"it has {len(data)} bytes, and {MAX_BYTES} are allowed", "make it smaller: every page carries it")
    if data.startswith(PNG):
        kind = "image/png"
    else:
        _check_svg(path, data)
        kind = "image/svg+xml"
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _check_svg(path: str, data: bytes) -> None:
    """An allowlist: a namespace, an element or a declaration that is not known to be harmless is a fault."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        _fail(path, "it is neither a PNG file nor an SVG file in UTF-8", "use a PNG file, or an SVG file in UTF-8")
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    inside: list[str] = []
    styles: list[str] = []

    def fail(message: str) -> NoReturn:
        _fail(path, message, PLAIN, line=parser.CurrentLineNumber)

    def start(name: str, attributes: dict[str, str]) -> None:
        space, _, element = name.rpartition(" ")
        if not inside and (space, element) != (SVG, "svg"):
            fail(f"its root is `<{element}>`, not the `<svg>` of SVG's namespace")
        if space != SVG or element not in ELEMENTS:
            fail(f"it holds `<{element}>`")
        for attribute, value in attributes.items():
            _check_attribute(attribute.rpartition(" ")[2], value, fail)
        inside.append(element)

    def end(_name: str) -> None:
        if inside.pop() == "style" and (found := STYLE_POINTS_OUT.search("".join(styles))):
            fail(f"its style has `{found[0]}`, which could load something")

    def characters(text: str) -> None:
        if inside and inside[-1] == "style":
            styles.append(text)

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    # Before anything is expanded: entities, and style sheets named by a processing instruction.
    parser.StartDoctypeDeclHandler = lambda *_: fail("it holds a document type declaration (`<!DOCTYPE`)")
    parser.ProcessingInstructionHandler = lambda *_: fail("it holds a processing instruction (`<?…?>`)")
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        _fail(path, f"it is neither a PNG file nor well-formed SVG: {error}", PLAIN, line=error.lineno)


def _check_attribute(attribute: str, value: str, fail: Callable[[str], NoReturn]) -> None:
    if attribute.lower().startswith("on"):
        fail(f"it holds the event handler `{attribute}`")
    if attribute in {"href", "src", "base"}:
        if not value.strip().startswith("#"):
            fail(f"`{attribute}` points to `{value[:60]}`, outside the file")
    elif found := STYLE_POINTS_OUT.search(value):
        fail(f"`{attribute}` has `{found[0]}`, which could load something")


def _fail(path: str, message: str, help: str, *, line: int | None = None) -> NoReturn:
    raise RenderError(
        "the logo (`mbgate:brand.logo`) can't be used",
        code="logo-unusable",
        faults=[Fault(code="logo-unusable", message=message, file=path, line=line, help=help)],
    )


def _plain_address(url: str | None) -> str | None:
    """What people read where there is no text: the mail address, or the host."""
    if url is None:
        return None
    return re.sub(r"^(?:mailto:|https://)", "", url).partition("?")[0].rstrip("/")
