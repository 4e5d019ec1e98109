"""The system's Chromium for tests, started the same way everywhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium_running() -> Iterator[Browser]:
    """A browser, named by MBGATE_CHROMIUM or found on PATH; without one the tests that need it fail."""
    program = os.environ.get("MBGATE_CHROMIUM") or shutil.which("chromium")
    assert program, "no Chromium on PATH: install it, or name it in MBGATE_CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()
