"""What a health check asks of curl: `curl [--fail] [--silent] [--show-error] [--max-time N] [--output F] URL`.

Exit status as curl's: 0, 2 for usage, 7 when it can't connect, 22 for an HTTP error, 28 after `--max-time`.
"""

from __future__ import annotations

import argparse
import sys
import urllib.error
import urllib.request
from pathlib import Path


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="curl", allow_abbrev=False)
    for flag in ("fail", "silent", "show-error"):
        parser.add_argument(f"--{flag}", action="store_true")
    parser.add_argument("--max-time", type=float)
    parser.add_argument("--output")
    parser.add_argument("url")
    args = parser.parse_args()
    if not args.url.startswith(("http://", "https://")):
        parser.error("the URL must begin with http:// or https://")
    try:
        body, status = _get(args.url, args.max_time)
    except TimeoutError:
        return _fail(args, 28, "the time is over")
    except OSError as error:
        is_late = isinstance(getattr(error, "reason", None), TimeoutError)
        return _fail(args, 28 if is_late else 7, str(getattr(error, "reason", error)))
    if args.fail and status >= 400:
        return _fail(args, 22, f"The requested URL returned error: {status}")
    if args.output:
        Path(args.output).write_bytes(body)
    else:
        sys.stdout.buffer.write(body)
    return 0


def _get(url: str, seconds: float | None) -> tuple[bytes, int]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=seconds) as answer:
            return answer.read(), answer.status
    except urllib.error.HTTPError as error:
        return error.read(), error.code


def _fail(args: argparse.Namespace, status: int, reason: str) -> int:
    if args.show_error or not args.silent:
        print(f"curl: ({status}) {reason}", file=sys.stderr)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
