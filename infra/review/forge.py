"""Where a review runs in GitHub Actions or GitLab CI: which request it is about, and what the forge says of it.

`python3 -m infra.review.forge github|gitlab` prints, as JSON, the facts that `mbgate policy consent` judges. They are
asked for anew each time: the event that started a job may be hours old when somebody runs the job again.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from infra.errors import MbgateError

from .api import Api, ForgeError, needed

KEPT = ("event", "actor", "label", "created_at")
"""Of the timeline, which has mail addresses and texts too."""


@dataclass(frozen=True)
class Request:
    """The request of this job. `is_fork`: its commits come from elsewhere, so that nothing is written."""

    number: int
    head: str
    is_fork: bool


def github_api() -> Api:
    """GitHub's, with the job's token in TOKEN."""
    headers = {"Authorization": f"Bearer {needed('TOKEN')}", "X-GitHub-Api-Version": "2022-11-28"}
    return Api(needed("GITHUB_API_URL"), headers)


def gitlab_api() -> Api:
    """GitLab's, with the project access token in MBGATE_FORGE_TOKEN."""
    return Api(needed("CI_API_V4_URL"), {"PRIVATE-TOKEN": needed("MBGATE_FORGE_TOKEN")})


def github_event() -> dict[str, Any]:
    """The pull request in the event that started the job."""
    try:
        pull = json.loads(Path(needed("GITHUB_EVENT_PATH")).read_text("utf-8"))["pull_request"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ForgeError("the event is of no pull request") from None
    return dict(pull)


def github_request() -> Request:
    """From the event. Pull requests of Dependabot get a token that may only read, as those of forks do."""
    pull = github_event()
    source = (pull["head"].get("repo") or {}).get("full_name")
    is_own = source == needed("GITHUB_REPOSITORY") and (pull.get("user") or {}).get("login") != "dependabot[bot]"
    return Request(number=int(pull["number"]), head=pull["head"]["sha"], is_fork=not is_own)


def gitlab_request() -> Request:
    """From the job's predefined variables."""
    source, target = needed("CI_MERGE_REQUEST_SOURCE_PROJECT_ID"), needed("CI_MERGE_REQUEST_PROJECT_ID")
    head = os.environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or needed("CI_COMMIT_SHA")
    is_fork = source != target or needed("CI_PROJECT_ID") != target
    return Request(number=int(needed("CI_MERGE_REQUEST_IID")), head=head, is_fork=is_fork)


def github_facts(api: Api) -> dict[str, Any]:
    """What `consent_github` needs. Raises ForgeError where the pull request isn't any more what the job is about."""
    event, request = github_event(), github_request()
    root = f"/repos/{needed('GITHUB_REPOSITORY')}"
    pull = api.get(f"{root}/pulls/{request.number}")
    if pull["head"]["sha"] != request.head or pull["base"]["ref"] != event["base"]["ref"]:
        raise _moved()
    timeline = api.pages(f"{root}/issues/{request.number}/timeline?per_page=100")
    return {
        "forge": "github",
        "head": request.head,
        "pull": pull,
        "reviews": api.pages(f"{root}/pulls/{request.number}/reviews?per_page=100"),
        "timeline": [
            {key: event[key] for key in KEPT if key in event}
            for event in timeline
            if event.get("event") in ("labeled", "unlabeled")
        ],
        "activity": _activity(api, pull["head"], request.head),
    }


def _activity(api: Api, head: dict[str, Any], sha: str) -> list[Any]:
    """The pushes to the head's branch, newest first, as far as the one that brought `sha`."""
    if not head.get("repo"):
        return []
    asked = urlencode({"ref": f"refs/heads/{head['ref']}", "per_page": 100})
    return api.pages(f"/repos/{head['repo']['full_name']}/activity?{asked}", until=lambda entry: entry["after"] == sha)


def gitlab_facts(api: Api) -> dict[str, Any]:
    """What `consent_gitlab` needs. Raises ForgeError where the merge request isn't any more what the job is about."""
    request = gitlab_request()
    root = f"/projects/{quote(needed('CI_MERGE_REQUEST_PROJECT_ID'), safe='')}/merge_requests/{request.number}"
    merge = api.get(root)
    if merge["sha"] != request.head or merge["target_branch"] != needed("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        raise _moved()
    pushes = f"/projects/{int(merge['source_project_id'])}/events?action=pushed&per_page=100"
    return {
        "forge": "gitlab",
        "head": request.head,
        "merge_request": merge,
        "label_events": api.pages(f"{root}/resource_label_events?per_page=100"),
        "approvals": api.get(f"{root}/approvals"),
        "rules": _rules(api, root),
        "pushes": api.pages(
            pushes, until=lambda event: (event.get("push_data") or {}).get("commit_to") == request.head
        ),
    }


def _rules(api: Api, root: str) -> list[Any]:
    """Without GitLab Premium there is no such address, and there are no code owners."""
    try:
        return list(api.get(f"{root}/approval_state").get("rules") or ())
    except ForgeError as error:
        if error.status in (403, 404):
            return []
        raise


def _moved() -> ForgeError:
    return ForgeError(
        "the request has another commit or another target by now: this job is about one of before",
        code="review-superseded",
        help="look at the newest run; an old one can't be run again",
    )


def told(work: Callable[[], None]) -> int:
    """Run it; an expected failure is one line on standard error and 1."""
    try:
        work()
    except MbgateError as error:
        print(f"mbgate: {error}", file=sys.stderr)
        return 1
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        print(f"mbgate: an answer of the forge lacks what it should have: {error!r} [forge-failed]", file=sys.stderr)
        return 1
    return 0


def main(words: list[str]) -> int:
    """Print the facts."""
    forges = {"github": lambda: github_facts(github_api()), "gitlab": lambda: gitlab_facts(gitlab_api())}
    if len(words) != 1 or words[0] not in forges:
        print(__doc__, file=sys.stderr)
        return 2
    return told(lambda: print(json.dumps(forges[words[0]](), indent=1)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
