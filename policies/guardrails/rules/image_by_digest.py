"""In production an image is named by its digest, so that what was reviewed is what runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model import Limits, Resource, Said, Stack, StackGuardrail, each, wrong

BY_DIGEST = re.compile(r"(?:\A|@)sha256:[0-9a-f]{64}\Z")
REMEDY = "set `digest` beside `image` to what `docker buildx imagetools inspect` prints for it"


def judge(stack: Stack, limits: Limits) -> Iterator[Said]:
    """Images that are pulled, and images that a container names without pulling."""
    if not stack.is_production(limits):
        return

    def pulled(image: Resource) -> Iterator[Said]:
        if not BY_DIGEST.search(str(image.get("name"))):
            yield wrong(image, f"is `{image.get('name')}`, a tag that may mean another image tomorrow", REMEDY)

    def named(container: Resource) -> Iterator[Said]:
        if stack.used_by(container, "image", "docker:RemoteImage"):
            return
        name = container.get("image") or container.get("taskSpec.containerSpec.image")
        if not BY_DIGEST.search(str(name)):
            yield wrong(container, f"runs `{name}`, a tag that may mean another image tomorrow", REMEDY)

    yield from each(pulled, stack.of("docker:RemoteImage"))
    yield from each(named, stack.of("docker:Container", "docker:Service"))


GUARDRAIL = StackGuardrail(
    name="image-by-digest",
    description="In production every image is named by its digest.",
    judge=judge,
)
