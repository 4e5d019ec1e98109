"""The review as ONE comment of the pull or merge request: written once, then edited in place.

`python3 -m infra.review.comment github|gitlab [FILE]`; without FILE the review is in the variable REVIEW, as the base64
of its gzip, which is how it comes from one job to another. Requests of forks get none, and nothing is written for them.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .api import ForgeError, needed
from .forge import github_api, github_request, gitlab_api, gitlab_request, told

MARKER = "<!-- mbgate policy review -->\n"
"""The comment begins with it; somebody else's that does is not ours."""
MAX_CHARACTERS = 65_536
"""GitHub's limit, the marker included; GitLab's is a million."""
MAX_BYTES = 4 * MAX_CHARACTERS
AUTHOR = "github-actions[bot]"
"""Whose comments the token of GitHub Actions writes; COMMENT_AUTHOR names another App."""
TOO_LONG = "The policy review is longer than a comment may be. It is in the job's summary."


def read_review(words: list[str]) -> str:
    """The review's Markdown, from the file or the variable."""
    try:
        data = Path(words[0]).read_bytes() if words else _unpacked(needed("REVIEW"))
        return data.decode("utf-8", "replace")
    except (OSError, EOFError, ValueError, binascii.Error) as error:
        raise ForgeError(f"the review can't be read: {error}") from None


def _unpacked(text: str) -> bytes:
    """At most a little more than a comment's length: a small text may unpack to gigabytes."""
    with gzip.GzipFile(fileobj=io.BytesIO(base64.b64decode(text, validate=True))) as packed:
        return packed.read(MAX_BYTES)


def body_of(review: str) -> str:
    """The comment's text."""
    body = MARKER + review
    return body if len(body) <= MAX_CHARACTERS else MARKER + TOO_LONG


def to_github(review: str) -> str:
    """Write it, and say what was done."""
    request = github_request()
    if request.is_fork:
        return "a fork's pull request (or Dependabot's): the review is in the summary, and no comment is written"
    api, root = github_api(), f"/repos/{needed('GITHUB_REPOSITORY')}/issues"
    author = os.environ.get("COMMENT_AUTHOR") or AUTHOR
    mine = _first(
        api.pages(f"{root}/{request.number}/comments?per_page=100"),
        lambda comment: (comment.get("user") or {}).get("login") == author,
    )
    body = {"body": body_of(review)}
    if mine is None:
        api.send("POST", f"{root}/{request.number}/comments", body)
        return "the comment is written"
    api.send("PATCH", f"{root}/comments/{int(mine['id'])}", body)
    return "the comment is edited"


def to_gitlab(review: str) -> str:
    """Write it, and say what was done."""
    request = gitlab_request()
    if request.is_fork:
        return "a fork's merge request: the review is in the job's artifact, and no comment is written"
    api = gitlab_api()
    me = api.get("/user")["id"]
    project = quote(needed("CI_MERGE_REQUEST_PROJECT_ID"), safe="")
    root = f"/projects/{project}/merge_requests/{request.number}/notes"
    mine = _first(
        api.pages(f"{root}?sort=asc&order_by=created_at&per_page=100"),
        lambda note: not note.get("system") and (note.get("author") or {}).get("id") == me,
    )
    body = {"body": body_of(review)}
    if mine is None:
        api.send("POST", root, body)
        return "the comment is written"
    api.send("PUT", f"{root}/{int(mine['id'])}", body)
    return "the comment is edited"


def _first(comments: list[Any], is_mine: Callable[[Any], bool]) -> Any | None:
    marker = MARKER.strip()
    return next((c for c in comments if is_mine(c) and str(c.get("body") or "").startswith(marker)), None)


def main(words: list[str]) -> int:
    """Write the comment."""
    forges: dict[str, Callable[[str], str]] = {"github": to_github, "gitlab": to_gitlab}
    if not 1 <= len(words) <= 2 or words[0] not in forges:
        print(__doc__, file=sys.stderr)
        return 2
    return told(lambda: print(forges[words[0]](read_review(words[1:]))))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
