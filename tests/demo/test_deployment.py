"""The deployment itself, on the real engine: nothing changes twice, nothing drifts, nothing leaks, nothing is left."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.demo, pytest.mark.engine]

Demo = Any
ROOT = Path(__file__).resolve().parents[2]


def test_status_names_every_part_and_account(demo: Demo) -> None:
    status = demo.status
    assert {"gateway_url", "issuer", "accounts", "cloudflare_api", "origin", "log_dir", "parts"} <= set(status)
    assert {a["role"] for a in status["accounts"]} == {"analyst", "engineer", "exec", None}
    assert all(part["state"] == "running" for part in status["parts"].values())
    assert status["gateway_url"] in demo.first_output
    assert "make demo-down" in demo.first_output


def test_a_second_up_changes_nothing(demo: Demo) -> None:
    again = demo.run("local", "up")
    assert "unchanged" in again.stdout
    summary = next(line for line in again.stdout.splitlines() if "The gateway runs" in line)
    assert not any(word in summary for word in ("created", "updated", "replaced", "deleted")), summary


def test_refresh_shows_no_drift(demo: Demo) -> None:
    assert "Resources:" in demo.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_preview_expects_no_changes(demo: Demo) -> None:
    assert "Resources:" in demo.pulumi("preview", "--expect-no-changes")


def secrets_of(demo: Demo) -> dict[str, str]:
    """Every generated secret of this world, in clear."""
    exported = json.loads(demo.pulumi("stack", "export", "--show-secrets"))
    found = {
        name: (demo.folder / name).read_text() for name in ("api-token", "passphrase", "client-secret", "bot-secret")
    }
    for account in demo.status["accounts"]:
        found[f"password of {account['email']}"] = account["password"]
    for resource in exported["deployment"]["resources"]:
        outputs = resource.get("outputs", {})
        for name in ("current", "previous", "apiKey", "clientSecret", "tunnelSecret"):
            value = outputs.get(name)
            text = json.loads(value["plaintext"]) if isinstance(value, dict) and "plaintext" in value else value
            if isinstance(text, str) and text:
                found[f"{resource['urn']}.{name}"] = text
    found["tunnel token"] = (demo.folder / "tunnel-token").read_text()
    return found


def test_no_secret_in_state_logs_arguments_or_bundles(demo: Demo) -> None:
    secrets = secrets_of(demo)
    assert len(secrets) > 8
    places: dict[str, str] = {"output of up": demo.first_output}
    backend = demo.folder / "pulumi"
    for path in [*backend.rglob("*"), *demo.logs.rglob("*"), *demo.folder.glob("Pulumi.*.yaml")]:
        if path.is_file():
            places[str(path)] = path.read_bytes().decode(errors="replace")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            places[f"arguments of {pid}"] = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
    headers = {"Authorization": f"Bearer {(demo.folder / 'api-token').read_text().strip()}"}
    state = httpx.get(
        demo.status["cloudflare_api"].replace("/client/v4", "/_local/state"), headers=headers, trust_env=False
    ).json()
    for worker in state["workers"]:
        for version in worker["versions"]:
            for module in version["modules"]:
                import base64

                places[f"{worker['name']}/{module['name']}"] = base64.b64decode(module["content_base64"]).decode()
    passwords = {name for name in secrets if name.startswith("password of ")}
    leaks = [
        f"{name} in {place}"
        for name, secret in secrets.items()
        for place, text in places.items()
        # The accounts' passwords are what `up` prints for the person who runs it.
        if secret in text and not (name in passwords and place == "output of up")
    ]
    assert leaks == []


def test_the_checkout_stays_clean(demo: Demo) -> None:
    before = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True)
    if before.returncode != 0:
        pytest.fail(f"git status failed: {before.stderr}")
    stray = [line for line in before.stdout.splitlines() if line.startswith("??") and "Pulumi" in line]
    assert stray == []


def test_the_api_refuses_a_wrong_token(demo: Demo) -> None:
    url = demo.status["cloudflare_api"] + "/user/tokens/verify"
    assert httpx.get(url, headers={"Authorization": "Bearer " + "x" * 40}, trust_env=False).status_code == 403
    assert httpx.get(url, trust_env=False).status_code == 401


def test_metabase_permissions_come_from_the_policies(demo: Demo) -> None:
    resources = json.loads(demo.pulumi("stack", "export", "--show-secrets"))["deployment"]["resources"]
    setup = next(r for r in resources if r["type"] == "mbgate:index:MetabaseSetup")
    key = json.loads(setup["outputs"]["apiKey"]["plaintext"])
    headers = {"x-api-key": key}
    graph = httpx.get(demo.status["origin"] + "/api/collection/graph", headers=headers, trust_env=False).json()
    groups = httpx.get(demo.status["origin"] + "/api/permissions/group", headers=headers, trust_env=False).json()
    ids = {group["name"]: str(group["id"]) for group in groups}
    assert set(graph["groups"].get("1", {}).values()) <= {"none"}
    assert graph["groups"][ids["Analysts"]]["3"] == "read"
    assert graph["groups"][ids["Analysts"]].get("5", "none") == "none"
    assert graph["groups"][ids["Executives"]]["5"] == "read"
