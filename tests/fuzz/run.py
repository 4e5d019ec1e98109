"""Coverage-guided fuzzing: `python -m tests.fuzz.run [TARGET] [--seconds N]`.

`python -m tests.fuzz.run TARGET FILE` runs one input again, without atheris. Each target has a folder in `build/fuzz`:
`corpus` (inputs that reached something new, kept for the next run), `log`, and the inputs that failed.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TARGETS = ("roles", "routes", "cases", "decisions", "queries")
BUILD = Path("build") / "fuzz"
FAILED = ("crash-", "timeout-", "oom-", "leak-")
LONGEST = 16384
"""Bytes; the loader takes 1 MiB, but a fuzzer finds in small files what there is."""
PULSE = re.compile(r"^#(\d+)\t(INITED|\w+)\s+cov: (\d+) ft: (\d+) corp: (\d+)/", re.MULTILINE)


def target(name: str) -> Any:
    """A target's module: `seeds()` and `run(data)`."""
    return importlib.import_module(f"tests.fuzz.fuzz_{name}")


def fuzz(name: str, seconds: int) -> None:
    """Fuzzes in this process, which ends with it."""
    import atheris

    # What is imported here is instrumented, so nothing may have imported it before.
    with atheris.instrument_imports(include=["infra.access"]):
        module = target(name)
        from tests.fuzz.mutating import mutate_fields, mutate_yaml
        from tests.fuzz.words import dictionary
    mutated = mutate_fields if name in ("decisions", "queries") else mutate_yaml
    folder = BUILD / name
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mbgate-seeds-") as seeds:
        for number, seed in enumerate(module.seeds()):
            (Path(seeds) / f"{number:04}").write_bytes(seed)
        words = Path(seeds) / "words"
        words.write_text(dictionary(), "ascii")
        options = {
            "max_total_time": seconds,
            "max_len": LONGEST,
            "timeout": 20,
            "rss_limit_mb": 2048,
            "artifact_prefix": f"{folder}/",
            "dict": words,
            # Every seed stays, and inputs stay readable: few mutations at once, and no shorter input for a longer one.
            "keep_seed": 1,
            "len_control": 0,
            "mutate_depth": 2,
            "reduce_inputs": 0,
        }
        arguments = [f"-{key}={value}" for key, value in options.items()]
        atheris.Setup(
            [sys.argv[0], *arguments, str(folder / "corpus"), seeds],
            module.run,
            custom_mutator=lambda data, most, seed: mutated(data, most, seed, atheris.Mutate),
        )
        atheris.Fuzz()


def supervise(name: str, seconds: int) -> bool:
    """Fuzzes in a process of its own and says what came of it; True where nothing failed."""
    folder = BUILD / name
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.iterdir())
    started = time.monotonic()
    command = [sys.executable, "-m", "tests.fuzz.run", name, "--seconds", str(seconds), "--here"]
    with (folder / "log").open("wb") as log:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, timeout=seconds + 300, check=False)
    failed = sorted(file for file in set(folder.iterdir()) - before if file.name.startswith(FAILED))
    print(f"{name}: {summary((folder / 'log').read_text('utf-8', 'replace'))}, {time.monotonic() - started:.0f} s")
    for file in failed:
        print(f"  failed on {file}; to reproduce: {sys.executable} -m tests.fuzz.run {name} {file}")
    if done.returncode and not failed:
        print(f"  ended with {done.returncode}: see {folder / 'log'}")
    return done.returncode == 0 and not failed


def summary(log: str) -> str:
    """Executions, and how far coverage (edges) grew from the seeds', out of libFuzzer's own words."""
    pulses = PULSE.findall(log)
    first = next((pulse for pulse in pulses if pulse[1] == "INITED"), None)
    if first is None:
        return "never started"
    last = pulses[-1]
    return f"{int(last[0]):,} executions, edges {first[2]} to {last[2]}, inputs {first[4]} to {last[4]}"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("target", nargs="?", choices=TARGETS, help="every target where none is named")
    parser.add_argument("file", nargs="?", type=Path, help="an input to run again")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--here", action="store_true", help="fuzz in this process")
    given = parser.parse_args()
    if given.file:
        target(given.target).run(given.file.read_bytes())
        print("nothing fails")
        return 0
    if importlib.util.find_spec("atheris") is None:
        version = ".".join(str(part) for part in sys.version_info[:2])
        print(f"atheris is missing (CPython 3.11 to 3.13 on x86-64 Linux; this is {version}): nothing was fuzzed")
        return 1
    if given.here:
        fuzz(given.target, given.seconds)
    held = [supervise(name, given.seconds) for name in ([given.target] if given.target else TARGETS)]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
