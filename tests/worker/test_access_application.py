"""The application of Cloudflare Access: how long its sessions last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from infra.settings import parse
from localcloud.api.access_models import seconds_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Recorded(pulumi.runtime.Mocks):
    """Notes what each resource is made with."""

    def __init__(self) -> None:
        self.made: dict[str, dict[str, Any]] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.made[args.typ] = args.inputs
        return f"{args.name}-id", args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        raise AssertionError(args.token)


def duration_of(absolute: int) -> str:
    """How long the application of a stack with this limit, in seconds, lets a session last."""
    # Cloudflare's provider takes seconds to import.
    from infra.components.access import AccessApplication

    config = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
    values = {key.removeprefix("mbgate:"): value for key, value in config.items()}
    settings = parse("prod", {**values, "session": {"idleSeconds": 60, "absoluteSeconds": absolute}})
    recorded = Recorded()
    pulumi.runtime.set_mocks(recorded)

    @pulumi.runtime.test
    def build() -> None:
        discovery = {name: f"https://idp.example.com/{name}" for name in ENDPOINTS}
        AccessApplication(settings, discovery=discovery, client_secret=pulumi.Output.secret("s"))

    build()
    return str(recorded.made[APPLICATION]["sessionDuration"])


@pytest.mark.parametrize(
    ("absolute", "expected"),
    [(300, "5m"), (1800, "30m"), (3600, "1h"), (5400, "90m"), (5459, "90m"), (43200, "12h"), (604800, "168h")],
)
def test_its_sessions_last_as_long_as_the_stack_says_and_no_longer(absolute: int, expected: str) -> None:
    """Read as Access reads it; what is less than a minute is cut off."""
    found = duration_of(absolute)
    assert found == expected
    assert absolute - 60 < seconds_of(found) <= absolute
