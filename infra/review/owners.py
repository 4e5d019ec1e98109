"""Who owns which files, as a CODEOWNERS file says it (GitHub's form; docs.github.com, "About code owners").

The last line that matches a path decides, also one without owners. Lines that GitHub skips are skipped: patterns with
`!` at the start or a `[…]` range. A team is as good as the list of its members that is given; addresses name nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from codeowners import CodeOwners

from .consent import is_same

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""The first that there is holds, as on GitHub."""
COMMENT = re.compile(r"(^|\s)#.*")
Teams = Mapping[str, Sequence[str]]
"""`org/team` to logins."""


class Owners:
    """The owners that one file names."""

    def __init__(self, text: str, teams: Teams | None = None) -> None:
        lines = (COMMENT.sub("", line).strip() for line in text.splitlines())
        self._rules = CodeOwners("\n".join(line for line in lines if _is_valid(line)))
        self._teams = {name.removeprefix("@").casefold(): members for name, members in (teams or {}).items()}

    def of(self, path: str) -> list[str]:
        """The logins that own the path."""
        found: list[str] = []
        for kind, name in self._rules.of(path):
            if kind == "USERNAME":
                found.append(name.removeprefix("@"))
            elif kind == "TEAM":
                found += self._teams.get(name.removeprefix("@").casefold(), ())
        return found

    def own(self, login: str, paths: Iterable[str]) -> bool:
        """Whether the login owns every one of the paths; nobody owns nothing."""
        every = list(paths)
        return bool(every) and all(any(is_same(login, owner) for owner in self.of(path)) for path in every)


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern of a CODEOWNERS file takes the path in."""
    line = pattern.replace(" ", "\\ ")
    return _is_valid(line) and bool(CodeOwners(f"{line} @somebody").of(path))


def _is_valid(line: str) -> bool:
    return bool(line) and not line.startswith("!") and not re.search(r"[\[\]]", line.split(maxsplit=1)[0])
