"""Mutation testing of the decision: `make mutants`.

mutmut changes the modules that `[tool.mutmut]` in pyproject.toml names, one spot at a time, in a copy below `build/`,
and runs the tests that pin decisions. A mutant that they don't notice is a missing test, or is equivalent and stands
in `equivalent_mutants.yaml` with the reason. `--write` brings that file up to date, with empty reasons to fill in.
"""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
COPY = ROOT / "build" / "mutants"
ACCEPTED = Path(__file__).with_name("equivalent_mutants.yaml")
PARTS = ("infra", "policies", "tests/access", "tests/corpus", "tests/conftest.py", "pyproject.toml", "Pulumi.yaml")
HEADER = """\
# Mutants of the decision that no test can notice, each with the reason; see CONTRIBUTING.md.
# `make mutants` fails where one survives that isn't here, and where one is here that doesn't survive.
# `make mutants WRITE=1` writes this file anew and keeps the reasons that still apply.

"""
NAME = re.compile(r"(?P<module>.+)\.x(?:ǁ(?P<of>\w+)ǁ|_)(?P<function>\w+?)__mutmut_\d+")
KILLED, SURVIVED = {"killed", "timeout"}, {"survived", "no tests"}
MIN_REASON = 40
"""Characters: less is a word like `equivalent`, which is no reason."""


@dataclass(frozen=True)
class Mutant:
    """A change of one spot, known by what stands there, so that it is the same one when lines move."""

    function: str
    after: str
    """The line above, which tells apart equal lines of one function."""
    was: str
    becomes: str

    def __str__(self) -> str:
        sides = (("  ", self.after), ("- ", self.was), ("+ ", self.becomes))
        return "\n    ".join([self.function, *(sign + line for sign, text in sides for line in text.splitlines())])


class Results(NamedTuple):
    """What became of the mutants: for each module how many, by outcome; who survived; what has no verdict."""

    counts: Mapping[str, Counter[str]]
    survivors: Sequence[Mutant]
    unclear: Sequence[str]


def read_accepted(file: Path = ACCEPTED) -> list[tuple[Mutant, str]]:
    """The mutants of the file, each with its reason; raises TypeError where an entry has other keys."""
    entries = yaml.safe_load(file.read_text("utf-8")) or []
    return [(Mutant(**{k: v for k, v in entry.items() if k != "reason"}), entry["reason"]) for entry in entries]


def write_accepted(survivors: Iterable[Mutant], known: Sequence[tuple[Mutant, str]], file: Path = ACCEPTED) -> None:
    """Writes the survivors with the known reasons, also where only the line above changed; else with an empty one."""
    left = list(known)
    entries = []
    for mutant in survivors:
        same = next((entry for entry in left if entry[0] == mutant), None)
        near = same or next((entry for entry in left if _spot(entry[0]) == _spot(mutant)), None)
        if near:
            left.remove(near)
        entries.append({**asdict(mutant), "reason": near[1] if near else ""})
    text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=110) if entries else "[]\n"
    file.write_text(HEADER + text.replace("\n- ", "\n\n- "), "utf-8")


def _spot(mutant: Mutant) -> tuple[str, str, str]:
    return mutant.function, mutant.was, mutant.becomes


def faults(accepted: Sequence[tuple[Mutant, str]]) -> list[str]:
    """What can be seen of the file without a run: reasons that say nothing, and lines that are gone."""
    found = []
    for mutant, reason in accepted:
        if len(reason) < MIN_REASON or len(set(reason.split())) < 6:
            found.append(f"say why no test can notice it: {mutant}")
        if not _stands(mutant):
            found.append(f"the line is gone, see `make mutants WRITE=1`: {mutant}")
    return found


def _stands(mutant: Mutant) -> bool:
    module, _, name = mutant.function.rpartition(".")
    try:
        lines = inspect.getsource(getattr(importlib.import_module(module), name)).splitlines()
    except (ImportError, AttributeError):
        return False
    return {mutant.after, *mutant.was.split("\n")} - {""} <= {line.strip() for line in lines}


def differences(survivors: Sequence[Mutant], accepted: Sequence[tuple[Mutant, str]]) -> list[str]:
    """What the run and the file don't agree on."""
    met, listed = Counter(survivors), Counter(mutant for mutant, _ in accepted)
    missed = [f"survives, so a test is missing, or it is equivalent: {mutant}" for mutant in (met - listed).elements()]
    return [*missed, *(f"is listed, but doesn't survive: {mutant}" for mutant in (listed - met).elements())]


def parse_diff(name: str, shown: str) -> Mutant:
    """A mutant from what `mutmut show` prints."""
    found = NAME.fullmatch(name)
    if not found:
        raise ValueError(f"mutmut names a mutant `{name}`")
    lines = shown.partition("\n@@")[2].split("\n")[1:]
    first = next(index for index, line in enumerate(lines) if line.startswith(("-", "+")))
    sides = {sign: [line[1:].strip() for line in lines if line.startswith(sign)] for sign in "-+"}
    return Mutant(
        function=".".join(part for part in found.group("module", "of", "function") if part),
        after=lines[first - 1].strip() if first else "",
        was="\n".join(sides["-"]),
        becomes="\n".join(sides["+"]),
    )


def copy_tree(target: Path = COPY) -> None:
    """A copy of what the tests need; mutmut writes nowhere else, so an interrupted run spares the sources."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for part in PARTS:
        source, to = ROOT / part, target / part
        to.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, to)


def mutmut(*arguments: str) -> str:
    """What mutmut prints in the copy; exits with it where mutmut fails, as it does where a test fails unmutated."""
    command = [str(Path(sys.executable).parent / "mutmut"), *arguments]
    done = subprocess.run(command, cwd=COPY, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        sys.exit(f"mutmut {' '.join(arguments)} failed:\n{done.stdout.replace(chr(13), chr(10))}\n{done.stderr}")
    return done.stdout


def run() -> Results:
    """Makes and judges every mutant: about half a minute on two cores."""
    copy_tree()
    mutmut("run", "--max-children", "2")
    settings = tomllib.loads((COPY / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    counts = {path.removesuffix(".py").replace("/", "."): Counter[str]() for path in settings["only_mutate"]}
    survivors, unclear = [], []
    for line in mutmut("results", "--all", "true").splitlines():
        name, _, status = line.strip().partition(": ")
        module = name.partition(".x")[0]
        outcome = "killed" if status in KILLED else "survived" if status in SURVIVED else "unclear"
        counts[module][outcome] += 1
        if outcome == "survived":
            survivors.append(parse_diff(name, mutmut("show", name)))
        elif outcome == "unclear":
            unclear.append(f"{name}: {status}")
    unclear += [f"{module} has no mutants: is it there?" for module, count in counts.items() if not count]
    return Results(counts, survivors, unclear)


def main(arguments: Sequence[str]) -> int:
    """Prints the table, the survivors and what is wrong; the exit code."""
    results, accepted = run(), read_accepted()
    if "--write" in arguments and not results.unclear:
        write_accepted(results.survivors, accepted)
        accepted = read_accepted()
    print(f"{'module':32}{'mutants':>9}{'killed':>9}{'survived':>10}")
    for module, count in results.counts.items():
        print(f"{module:32}{count.total():9}{count['killed']:9}{count['survived']:10}")
    reasons = dict(accepted)
    for mutant in results.survivors:
        if mutant in reasons:
            print(f"\nsurvives: {mutant}\n    because: {reasons[mutant]}")
    wrong = [*results.unclear, *differences(results.survivors, accepted), *faults(accepted)]
    print("".join(f"\nwrong: {fault}" for fault in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
