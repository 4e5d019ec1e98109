"""Any bytes as `tests.yaml`: refused with faults, or the people and expectations that stand there and no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.access.cases import load_cases
from tests.fuzz.loading import load, plain, seeds_of


def seeds() -> Iterator[bytes]:
    """Good and bad files of policy tests."""
    yield from seeds_of("tests.yaml")


def run(data: bytes) -> None:
    """Loads the file, and compares people and requests with what stands there."""
    loaded = load("tests.yaml", data, lambda folder: load_cases(folder / "tests.yaml"))
    if loaded is None:
        return
    people, cases = loaded
    document = plain(data)
    stands = {name: (person["issuer"], person["claims"]) for name, person in document["people"].items()}
    assert {name: (person["issuer"], person["claims"]) for name, person in people.items()} == stands
    found = [(case.person, case.effect, f"{case.request['method']} {case.request['path']}") for case in cases]
    assert found == list(_expected(document["tests"]))


def _expected(tests: Any) -> Iterator[tuple[str, str, str]]:
    for test in tests:
        for effect in ("allow", "deny"):
            for one in test.get(effect, []):
                yield test["as"], effect, one["request"] if isinstance(one, dict) else one
