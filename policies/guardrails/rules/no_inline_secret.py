"""Secrets are Pulumi secrets, and reach a Worker as `secret_text` bindings, a container as files, nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ..model import Limits, NotYetKnown, Resource, Said, Secret, Stack, StackGuardrail, Unknown, dig, each, known, wrong
from ..workers import VERSION, modules

SECRET_NAME = re.compile(
    r"(?:^|_)(?:SECRET|PASSWORD|PASSWD|PASS|PASSPHRASE|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIALS?)(?:_|$)"
)
A_KEY = re.compile(r'-----BEGIN [A-Z ]*PRIVATE KEY-----|"d":\s*"[A-Za-z0-9_-]{40,}"')
DIGEST = re.compile(r"MBGATE_FILES=[0-9a-f]{64}")
SHORTEST = 12
JudgePart = Callable[..., Iterator[Said]]
ROTATE = "it may be known already: make a new one"


def judge(stack: Stack, _: Limits) -> Iterator[Said]:
    """Looks at names, at forms of keys, and for the text of each secret that the stack itself holds."""
    texts = {text for resource in stack.resources for text in secret_texts(resource.inputs)}

    def worker(version: Resource) -> Iterator[Said]:
        yield from _parts(version, "bindings", _binding, texts)
        for name, text in modules(version).items():
            if _leaks(text, texts):
                problem = f"has a secret in the text of `{name}`, which everybody with read access can see"
                yield wrong(version, problem, f"bind it with `secret_text`; {ROTATE}")

    def container(resource: Resource) -> Iterator[Said]:
        yield from _parts(resource, "envs", _variable, texts)
        yield from _parts(resource, "uploads", _upload, texts)

    yield from each(worker, stack.of(VERSION))
    yield from each(container, stack.of("docker:Container"))


def _parts(resource: Resource, path: str, judge_one: JudgePart, texts: set[str]) -> Iterator[Said]:
    """Judges each item of a list, whatever another one doesn't tell yet."""
    for index, part in enumerate(resource.items(path)):
        yield from each(partial(judge_one, part=part, index=index, texts=texts), [resource])


def _binding(version: Resource, part: Any, index: int, texts: set[str]) -> Iterator[Said]:
    name, kind = (dig(part, key, f"bindings[{index}]") for key in ("name", "type"))
    raw = next((part[key] for key in ("text", "json") if part.get(key) is not None), "")
    is_secret = isinstance(raw, Secret) or (isinstance(raw, Unknown) and raw.is_secret)
    if kind == "secret_text":
        if isinstance(raw, Unknown) and not is_secret:
            raise NotYetKnown(f"bindings[{index}].text")
        if not is_secret:
            problem = f"has binding `{name}` whose text is no Pulumi secret, so that the state holds it in clear"
            yield wrong(version, problem, f"wrap it in `pulumi.Output.secret`, or set it with `--secret`; {ROTATE}")
        return
    if is_secret:
        yield wrong(version, f"has a secret in binding `{name}` of type `{kind}`", "make it a `secret_text`")
    elif raw and SECRET_NAME.search(str(name).upper()):
        yield wrong(version, f"has binding `{name}`, by its name a secret, of type `{kind}`", "make it a `secret_text`")
    elif isinstance(raw, str) and _leaks(raw, texts):
        yield wrong(version, f"has a secret in binding `{name}` of type `{kind}`", f"make it a `secret_text`; {ROTATE}")


def _variable(container: Resource, part: Any, index: int, texts: set[str]) -> Iterator[Said]:
    remedy = "upload it as a file that the container reads: `docker inspect` shows the environment"
    text = str(known(part, f"envs[{index}]"))
    name, _, value = text.partition("=")
    # The digest of a container's files is made of secrets, and tells none of them.
    if isinstance(part, Secret) and not DIGEST.fullmatch(text):
        yield wrong(container, f"has a Pulumi secret in variable `{name}`", remedy)
    elif value and not name.endswith("_FILE") and SECRET_NAME.search(name.upper()):
        yield wrong(container, f"has variable `{name}`, by its name a secret", remedy)
    elif _leaks(value, texts):
        yield wrong(container, f"has a secret in variable `{name}`", f"{remedy}; {ROTATE}")


def _upload(container: Resource, part: Any, index: int, texts: set[str]) -> Iterator[Said]:
    file = dig(part, "file", f"uploads[{index}]")
    content = part.get("content")
    if isinstance(content, Unknown) and not content.is_secret:
        raise NotYetKnown(f"uploads[{index}].content")
    if isinstance(content, str) and _leaks(content, texts):
        problem = f"has a secret in the uploaded file `{file}` that is no Pulumi secret: the state holds it in clear"
        yield wrong(container, problem, f"wrap it in `pulumi.Output.secret`; {ROTATE}")


def _leaks(text: str, texts: set[str]) -> bool:
    return bool(A_KEY.search(text)) or any(secret in text for secret in texts)


def secret_texts(value: Any) -> Iterator[str]:
    """The readable texts that are secrets as a whole, long enough not to be found by chance.

    What is secret only for being part of a secret object, such as the URL of a connection, may well be public.
    """
    if isinstance(value, Secret):
        if isinstance(value.value, str) and len(value.value) >= SHORTEST:
            yield value.value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from secret_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from secret_texts(inner)


GUARDRAIL = StackGuardrail(
    name="no-inline-secret",
    description="Secrets are Pulumi secrets in `secret_text` bindings or uploaded files, never plain text.",
    judge=judge,
)
