"""Between engine and local cloud: passes calls on, and can swallow the answer of one that was done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

Choice = Callable[[str, str], bool]


def _nothing(method: str, path: str) -> bool:
    return False


class Proxy:
    """Passes the engine's calls on to the local cloud; swallows the answers of those that `swallow` chooses."""

    def __init__(self, upstream: str, port: int) -> None:
        self.swallow: Choice = _nothing
        self.swallowed: list[str] = []
        self._held = threading.Semaphore(0)
        self._hold: Choice = _nothing
        self._passing = threading.Event()
        proxy = self
        client = httpx.Client(base_url=upstream, trust_env=False, timeout=30)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length")}
                try:
                    answer = client.request(self.command, self.path, content=body, headers=headers)
                except httpx.HTTPError:
                    self.close_connection = True
                    return
                if answer.is_success and proxy._hold(self.command, self.path):
                    proxy._held.release()
                    proxy._passing.wait()
                    self.close_connection = True
                    return
                if answer.is_success and proxy.swallow(self.command, self.path):
                    proxy.swallowed.append(f"{self.command} {self.path}")
                    self.close_connection = True
                    return
                self.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name.lower() in ("content-type", "x-should-retry"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def hold(self, choice: Choice) -> None:
        """Keeps back the answers of the chosen calls, which are done."""
        self._passing.clear()
        self._hold = choice

    def await_held(self, number: int) -> None:
        """Waits until so many answers are kept back."""
        for _ in range(number):
            assert self._held.acquire(timeout=30), "the engine made fewer calls"

    def pass_all(self) -> None:
        """Passes on every answer from now on."""
        self._hold = self.swallow = _nothing
        self._passing.set()

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
