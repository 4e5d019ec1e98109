"""Cases of the guardrails about containers, images, data and whose everything is."""

from __future__ import annotations

from typing import Any

from tests.guardrails.cases import Case, fine, waits, wrong
from tests.guardrails.stacks import CF, DOCKER, IMAGE_ID, UNKNOWN, Draft

H2 = ["MB_DB_FILE=/metabase-data/metabase.db"]


def metabase(**changes: Any) -> Any:
    """Other inputs of Metabase's container."""
    return lambda s: s["metabase"].update(changes)


def local(s: Draft) -> None:
    """The demo: Cloudflare's API is on this machine."""
    s["cloudflare"].update(baseUrl="http://127.0.0.1:8481/client/v4")


def development(s: Draft) -> None:
    s.stack = "dev-7"


def on_h2(s: Draft, *, protect: bool = True, volume: str = "mbgate-prod-data") -> None:
    s["metabase"].update(envs=H2, volumes=[{"volumeName": volume, "containerPath": "/metabase-data"}])
    s.entries["data"].protect = protect


CASES: dict[str, list[Case]] = {
    "no-published-port": [
        fine("none", metabase(ports=[])),
        wrong("one", "publishes a port", metabase(ports=[{"internal": 3000}])),
        wrong("all", "every port", metabase(publishAllPorts=True)),
        wrong("host's network", "the host's own network", metabase(networkMode="host")),
        wrong(
            "of a swarm",
            "of the swarm",
            lambda s: s.add("service", DOCKER + "Service", {"endpointSpec": {"ports": [{"targetPort": 3000}]}}),
        ),
        waits("unknown", "`ports`", metabase(ports=UNKNOWN)),
    ],
    "internal-network": [
        fine("no network", metabase(networkMode="none", networksAdvanced=[])),
        wrong("default network", "default network", metabase(networksAdvanced=[])),
        wrong("open network", "`egress`", metabase(networksAdvanced=[{"name": "mbgate-prod-egress"}])),
        wrong("no longer internal", "`private`", lambda s: s["private"].pop("internal")),
        waits("command unknown", "`command[0]`", lambda s: s["connector"].update(command=[UNKNOWN])),
        waits("network unknown", "`networksAdvanced[1]`", lambda s: s["metabase"]["networksAdvanced"].append(UNKNOWN)),
    ],
    "containers-can-do-little": [
        fine(
            "one that ends",
            metabase(mustRun=False, readOnly=False, user="0:0", capabilities={"drops": ["ALL"], "adds": ["CAP_CHOWN"]}),
        ),
        wrong("privileged", "is privileged", metabase(privileged=True)),
        wrong("capabilities kept", "keeps capabilities", metabase(capabilities={})),
        wrong(
            "capability added", "adds capabilities", metabase(capabilities={"drops": ["ALL"], "adds": ["CAP_CHOWN"]})
        ),
        wrong("more privileges", "more privileges", metabase(securityOpts=[])),
        wrong("root to write on", "its own programs", metabase(readOnly=False)),
        wrong("as root", "runs as root", metabase(user="")),
        wrong("host's processes", "`pidMode`", metabase(pidMode="host")),
        wrong("the engine's socket", "docker.sock", metabase(volumes=[{"hostPath": "/var/run/docker.sock"}])),
        waits("unknown", "`privileged`", metabase(privileged=UNKNOWN)),
    ],
    "image-by-digest": [
        fine("in the demo", lambda s: (local(s), s["image"].update(name="metabase/metabase:latest"))),
        fine("in development", lambda s: (development(s), s["image"].update(name="metabase/metabase:latest"))),
        fine(
            "an image's id", lambda s: (s.entries["metabase"].uses.pop("image"), s["metabase"].update(image=IMAGE_ID))
        ),
        wrong("a tag", "metabase:v0.58.x", lambda s: s["image"].update(name="metabase/metabase:v0.58.x")),
        wrong(
            "unpulled",
            "runs `mb`",
            lambda s: (s.entries["metabase"].uses.pop("image"), s["metabase"].update(image="mb")),
        ),
        waits("unknown", "`name`", lambda s: s["image"].update(name=UNKNOWN)),
    ],
    "h2-only-in-demo": [
        fine("in the demo", lambda s: (local(s), metabase(envs=H2)(s))),
        fine("in development", lambda s: (development(s), metabase(envs=H2)(s))),
        fine("another by address", metabase(envs=["MB_DB_CONNECTION_URI_FILE=/run/uri"])),
        wrong("a file", "in H2", metabase(envs=H2)),
        wrong("nothing said", "in H2", metabase(envs=["MB_JETTY_PORT=3000"])),
        wrong("in so many words", "in H2", metabase(envs=["MB_DB_TYPE=h2"])),
        waits("unknown", "`envs`", metabase(envs=["MB_JETTY_PORT=3000", UNKNOWN])),
    ],
    "data-protected": [
        fine("protected", on_h2),
        fine("a demo's", lambda s: (local(s), on_h2(s, protect=False))),
        fine("its data is elsewhere", lambda s: setattr(s.entries["data"], "protect", False)),
        wrong("volume", "holds Metabase's data", lambda s: on_h2(s, protect=False)),
        wrong("no volume", "in no volume", lambda s: on_h2(s, volume="other")),
        wrong("key", "isn't protected", lambda s: setattr(s.entries["encryption-key"], "protect", False)),
        waits("unknown", "`volumes[0].volumeName`", lambda s: on_h2(s, volume=UNKNOWN)),
    ],
    "labelled": [
        fine("a stack with a changed name", lambda s: (setattr(s, "stack", "Prod_1"), _relabel(s, "Prod_1"))),
        wrong(
            "another's label", "lacks the label", lambda s: s["data"].update(labels=[{"label": "mbgate", "value": "x"}])
        ),
        wrong("no label", "lacks the label", lambda s: s["private"].pop("labels")),
        wrong("another's name", "is named `gateway`", lambda s: s["gateway"].update(name="gateway")),
        wrong("no title", "is named", lambda s: s.add("kv", CF + "WorkersKvNamespace", {"title": "keys"})),
        waits("unknown", "`name`", lambda s: s["people"].update(name=UNKNOWN)),
    ],
}


def _relabel(s: Draft, stack: str) -> None:
    for entry in s.entries.values():
        if "labels" in entry.inputs:
            entry.inputs["labels"] = [{"label": "mbgate", "value": stack}]
