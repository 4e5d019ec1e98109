"""A review of a pull request was given or withdrawn on GitHub: run the policy review of its commit again.

`python3 -m infra.review.again`. A run of its own would be a second check beside the first, which stays failed; the same
run anew replaces its result. It decides nothing: the run asks GitHub for all that it judges.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from .api import Api, ForgeError, needed
from .forge import Request, github_api, github_request, told

WORKFLOW = "policy-review.yml"
PAUSE = 15.0
WAITS = 60
"""A run that is under way may have asked before the review was given: it is waited for, 15 minutes at most."""


def again(api: Api, request: Request, *, sleep: Callable[[float], None] = time.sleep) -> str:
    """Run it again, and say what was done."""
    root = f"/repos/{needed('GITHUB_REPOSITORY')}/actions"
    asked = f"{root}/workflows/{WORKFLOW}/runs?event=pull_request&head_sha={request.head}&per_page=100"
    for _ in range(WAITS):
        run = _newest(api.get(asked)["workflow_runs"], request.number)
        if run is None:
            return "no policy review of this commit has run: the next one sees the review"
        if run["status"] == "completed":
            api.send("POST", f"{root}/runs/{int(run['id'])}/rerun")
            return "the policy review runs again"
        sleep(PAUSE)
    raise ForgeError("the policy review of this commit doesn't end", help="run it again by hand")


def _newest(runs: list[Any], number: int) -> Any | None:
    """Two pull requests may have one commit."""
    mine = [run for run in runs if any(pull.get("number") == number for pull in run.get("pull_requests") or ())]
    return max(mine, key=lambda run: int(run["id"]), default=None)


def work() -> None:
    """Nothing where the token may not: the summary says how people do it."""
    request = github_request()
    if request.is_fork:
        print("a fork's pull request: run the policy review again by hand, or set the label")
        return
    print(again(github_api(), request))


if __name__ == "__main__":
    sys.exit(told(work))
