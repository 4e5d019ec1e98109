"""A container that is taken over can do little: read-only root, no capability, no way to more privileges."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Resource, ResourceGuardrail, Said, dig, known, wrong

# What hands over files runs as root, may give them away, and ends before anybody else starts.
OF_ONE_THAT_ENDS = {"CAP_CHOWN", "CHOWN"}
HOST_MODES = ("pidMode", "ipcMode", "usernsMode")
REMEDY = "make it by `Engine.container` of containers.py"


def judge(container: Resource) -> Iterator[Said]:
    """Options of Docker by which a process could get out of its container."""
    ends = container.get("mustRun") is False
    if container.get("privileged"):
        yield wrong(container, "is privileged, that is root on its host", REMEDY)
    if "ALL" not in container.items("capabilities.drops"):
        yield wrong(container, "keeps capabilities of root", f"drop `ALL`; {REMEDY}")
    if set(container.items("capabilities.adds")) - (OF_ONE_THAT_ENDS if ends else set()):
        yield wrong(container, "adds capabilities", REMEDY)
    if "no-new-privileges:true" not in container.items("securityOpts"):
        yield wrong(container, "may get more privileges", f"set `no-new-privileges:true`; {REMEDY}")
    if not ends and container.get("readOnly") is not True:
        yield wrong(container, "can change its own programs", f"set `read_only=True`; {REMEDY}")
    if not ends and str(container.get("user") or "0").split(":")[0] in ("0", "root"):
        yield wrong(container, "runs as root", f"set `user`; {REMEDY}")
    for mode in HOST_MODES:
        if container.get(mode) == "host":
            yield wrong(container, f"shares `{mode}` with its host", REMEDY)
    for index, mount in enumerate(container.items("volumes")):
        source = str(dig(known(mount, f"volumes[{index}]"), "hostPath", f"volumes[{index}]") or "")
        if source.endswith("docker.sock") or source in ("/", "/var/run", "/run", "/etc", "/root"):
            yield wrong(container, f"mounts `{source}` of its host, and with it the host", REMEDY)


GUARDRAIL = ResourceGuardrail(
    name="containers-can-do-little",
    description="Every container has a read-only root, no capability, no root user and nothing of its host.",
    kinds=("docker:Container",),
    judge=judge,
)
