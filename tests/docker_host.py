"""The Docker engine that tests may use."""

from __future__ import annotations

import os


def engine_host() -> str:
    """The engine that `.ci/run` started; without one the tests that need it fail: nothing else shows what they do."""
    found = os.environ.get("MBGATE_DOCKER_HOST")
    assert found, "MBGATE_DOCKER_HOST names no engine: run `.ci/run`, or start one and name its socket"
    return found
