"""A throwaway repository with a base, a head and their merge, as a forge keeps them; its head would tell if it ran."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REVIEW = Path(__file__).with_name("standin_review.py")
ROLES = "version: 1\nroles: {}\n"
SETUP = """\
setup:
\t@test -z "$$TOKEN$$MBGATE_FORGE_TOKEN"
\t@mkdir -p .venv/bin
\t@ln -sf {python} .venv/bin/python
\t@cp mbgate .venv/bin/mbgate
"""
MBGATE = """\
#!/bin/sh
if [ "$2" = review ]; then exec {python} review.py "$@"; fi
exec {python} -m infra.cli.app "$@"
"""
"""`policy review` is a stand-in, except where a test wants the whole; all else is the project's own."""


def git(folder: Path, *words: str) -> str:
    """What git prints."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@acme.test", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def environment() -> dict[str, str]:
    """Without this machine's git settings and a job's own variables."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "TMPDIR") if key in os.environ}
    return {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"}


@dataclass
class Repository:
    """`bare` is what the forge serves; `canary` is made by whatever of the head is executed."""

    bare: Path
    work: Path
    canary: Path
    base: str = ""
    head: str = ""
    merge: str = ""

    def push_head(self, files: dict[str, str], *, link: str = "") -> None:
        """A commit on the head's branch (over the one before), its merge with the base, and the refs for both."""
        git(self.work, "checkout", "--quiet", "-B", "gains", self.head or self.base)
        for name, text in files.items():
            (self.work / name).parent.mkdir(parents=True, exist_ok=True)
            (self.work / name).write_text(text)
        if link:
            (self.work / link).unlink(missing_ok=True)
            (self.work / link).symlink_to("/etc/passwd")
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--allow-empty", "-m", "head")
        self.head = git(self.work, "rev-parse", "HEAD")
        git(self.work, "checkout", "--quiet", "--detach", self.base)
        git(self.work, "merge", "--quiet", "--no-ff", "-m", "merge", self.head)
        self.merge = git(self.work, "rev-parse", "HEAD")
        refs = [f"{self.merge}:refs/pull/7/merge", f"{self.head}:refs/pull/7/head"]
        refs += [f"{self.head}:refs/merge-requests/7/head", f"{self.head}:refs/heads/gains"]
        git(self.work, "push", "--quiet", "--force", str(self.bare), *refs)


def make(folder: Path, *, whole: bool = False) -> Repository:
    """With the project's own `infra` on the base, and a head whose every program would leave the canary.

    `whole`: with the project's own policies and review.
    """
    work, bare, canary = folder / "work", folder / "forge" / "acme" / "bi", folder / "canary"
    shutil.copytree(ROOT / "infra", work / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    if whole:
        shutil.copytree(ROOT / "policies", work / "policies", ignore=shutil.ignore_patterns("__pycache__"))
    else:
        (work / "policies").mkdir()
        (work / "policies" / "roles.yaml").write_text(ROLES)
    roles = (work / "policies" / "roles.yaml").read_text()
    (work / "Pulumi.yaml").write_text("name: mbgate\n")
    (work / "CODEOWNERS").write_text("/policies/ @olga\n")
    (work / "Makefile").write_text(SETUP.format(python=sys.executable))
    lines = MBGATE.format(python=sys.executable).splitlines(keepends=True)
    (work / "mbgate").write_text("".join(line for line in lines if not (whole and "review.py" in line)))
    (work / "mbgate").chmod(0o755)
    (work / ".gitignore").write_text(".venv\n__pycache__\n")
    shutil.copy(REVIEW, work / "review.py")
    bare.mkdir(parents=True)
    git(bare, "init", "--quiet", "--bare")
    (bare.parent / "bi.git").symlink_to(bare)
    git(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(work, "init", "--quiet")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "-m", "base")
    made = Repository(bare=bare, work=work, canary=canary, base=git(work, "rev-parse", "HEAD"))
    git(work, "push", "--quiet", str(bare), f"{made.base}:refs/heads/main")
    touch = f"open({str(canary)!r}, 'w')\n"
    made.push_head(
        {
            "policies/roles.yaml": roles + "# GAIN\n",
            "Makefile": f"setup:\n\ttouch {canary}\n",
            "mbgate": f"#!/bin/sh\ntouch {canary}\n",
            "review.py": touch,
            "infra/__init__.py": touch,
            "CODEOWNERS": "* @ann\n",
            ".github/teams.json": '{"acme/security": ["ann"]}',
            ".gitattributes": "* filter=evil merge=evil\n",
            "sitecustomize.py": touch,
        }
    )
    return made
