"""Runs a workflow's jobs as GitHub's runner does, as far as the policy review's use its language.

Steps are bash scripts; expressions are paths into contexts, comparisons with texts or paths, `!cancelled()` and `&&`.
Anything else is a loud error. Without `if`, a step runs only where every step before it succeeded.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.workflows.repository import environment

EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
PATH = re.compile(r"[a-z_]+(\.[A-Za-z_-]+)+")


@dataclass
class Job:
    """What became of a job: `result` is success, failure or skipped."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    log: str = ""


def load(file: Path) -> dict[str, Any]:
    """The workflow; YAML 1.1 reads the key `on` as true."""
    return dict(yaml.safe_load(file.read_text()))


def evaluate(text: str, contexts: dict[str, Any]) -> Any:
    """An expression's value."""
    terms = [_term(" ".join(term.split()), contexts) for term in text.split("&&")]
    return terms[0] if len(terms) == 1 else all(terms)


def _term(term: str, contexts: dict[str, Any]) -> Any:
    if term == "!cancelled()":
        return True
    for sign in ("!=", "=="):
        if sign in term:
            left, right = (_value(side.strip(), contexts) for side in term.split(sign))
            return (left == right) == (sign == "==")
    return _value(term, contexts)


def _value(text: str, contexts: dict[str, Any]) -> Any:
    if text.startswith("'") and text.endswith("'"):
        return text[1:-1]
    assert PATH.fullmatch(text), f"no expression that is known here: {text}"
    found: Any = contexts
    for part in text.split("."):
        found = (found or {}).get(part)
    return "" if found is None else found


def _filled(text: str, contexts: dict[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        found = evaluate(match[1], contexts)
        return str(found).lower() if isinstance(found, bool) else str(found)

    return EXPRESSION.sub(value, str(text))


def run(workflow: dict[str, Any], contexts: dict[str, Any], variables: dict[str, str], folder: Path) -> dict[str, Job]:
    """Every job in order, each on a fresh machine's folder."""
    jobs: dict[str, Job] = {}
    for name, job in workflow["jobs"].items():
        needs = {need: vars(jobs[need]) for need in [job["needs"]] if need} if "needs" in job else {}
        here = {**contexts, "needs": needs, "steps": {}}
        condition = job.get("if")
        wanted = evaluate(EXPRESSION.sub(r"\1", condition), here) if condition else True
        jobs[name] = _run_job(job, here, variables, folder / name) if wanted else Job(result="skipped")
    return jobs


def _run_job(job: dict[str, Any], contexts: dict[str, Any], variables: dict[str, str], folder: Path) -> Job:
    (folder / "temp").mkdir(parents=True)
    (folder / "work").mkdir()
    done, summary = Job(result="success"), folder / "summary"
    summary.touch()
    for index, step in enumerate(job["steps"]):
        identity, output = step.get("id", f"step-{index}"), folder / f"output-{index}"
        output.touch()
        condition = step.get("if")
        wanted = evaluate(EXPRESSION.sub(r"\1", condition), contexts) if condition else done.result == "success"
        if not wanted:
            contexts["steps"][identity] = {"outcome": "skipped", "outputs": {}}
            continue
        given = {key: _filled(value, contexts) for key, value in step.get("env", {}).items()}
        runner = {"RUNNER_TEMP": folder / "temp", "GITHUB_STEP_SUMMARY": summary, "GITHUB_OUTPUT": output}
        ended = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", _filled(step["run"], contexts)],
            cwd=folder / "work",
            env={**environment(), **variables, **{key: str(value) for key, value in runner.items()}, **given},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        done.log += f"== {step['name']}: {ended.returncode}\n{ended.stdout}"
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        outcome = "success" if ended.returncode == 0 else "failure"
        contexts["steps"][identity] = {"outcome": outcome, "outputs": outputs}
        if outcome == "failure":
            done.result = "failure"
    done.outputs = {key: _filled(value, contexts) for key, value in job.get("outputs", {}).items()}
    done.summary = summary.read_text()
    return done
