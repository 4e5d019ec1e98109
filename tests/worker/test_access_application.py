"""The application of Cloudflare Access: how long its sessions last."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from localcloud.api.access_models import seconds_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
DURATIONS = {300: "5m", 1800: "30m", 3600: "1h", 5400: "90m", 5459: "90m", 43200: "12h", 604800: "168h"}
# A process of its own: Pulumi's mocks need an event loop and a runtime that no other test has used.
SCRIPT = """
import json, sys
import pulumi, yaml
from infra.components.access import AccessApplication
from infra.settings import parse

APPLICATION = "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication"
made = {}

class Recorded(pulumi.runtime.Mocks):
    def new_resource(self, args):
        made[args.typ] = args.inputs
        return f"{args.name}-id", args.inputs

    def call(self, args):
        raise AssertionError(args.token)

def duration_of(absolute):
    config = yaml.safe_load(open("Pulumi.local.yaml"))["config"]
    values = {key.removeprefix("mbgate:"): value for key, value in config.items()}
    settings = parse("prod", {**values, "session": {"idleSeconds": 60, "absoluteSeconds": absolute}})
    pulumi.runtime.set_mocks(Recorded())

    @pulumi.runtime.test
    def build():
        endpoints = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        discovery = {name: f"https://idp.example.com/{name}" for name in endpoints}
        AccessApplication(settings, discovery=discovery, client_secret=pulumi.Output.secret("s"))

    build()
    return str(made[APPLICATION]["sessionDuration"])

print(json.dumps({absolute: duration_of(absolute) for absolute in json.loads(sys.argv[1])}))
"""


@pytest.fixture(scope="module")
def durations() -> dict[int, str]:
    """What Access is told for each absolute limit, in seconds."""
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, json.dumps(list(DURATIONS))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {int(absolute): found for absolute, found in json.loads(done.stdout).items()}


@pytest.mark.parametrize(("absolute", "expected"), DURATIONS.items())
def test_its_sessions_last_as_long_as_the_stack_says_and_no_longer(
    durations: dict[int, str], absolute: int, expected: str
) -> None:
    """Read as Access reads it; what is less than a minute is cut off."""
    found = durations[absolute]
    assert found == expected
    assert absolute - 60 < seconds_of(found) <= absolute
