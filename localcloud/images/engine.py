"""The engine's side: which images are there, importing those that are not, removing what nobody uses any more."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound

from localcloud.images.failure import ImageError
from localcloud.images.recipes import Recipe
from localcloud.images.rootfs import RootFs

REPOSITORY = "mbgate-local"


def ensure(host: str, wanted: Iterable[Recipe]) -> dict[str, str]:
    """The tag of each image by its name, made where it was missing. Raises ImageError."""
    try:
        client = docker.DockerClient(base_url=host, version="auto")
        try:
            return {recipe.name: _ensure(client.api, recipe) for recipe in wanted}
        finally:
            client.close()
    except (DockerException, requests.RequestException) as error:
        reason = " ".join(str(getattr(error, "explanation", None) or error).split())
        raise ImageError(f"the Docker engine at `{host}` can't be used: {reason}") from None


def _ensure(api: Any, recipe: Recipe) -> str:
    repository = f"{REPOSITORY}/{recipe.name}"
    tag = f"{repository}:{recipe.tag}"
    try:
        api.inspect_image(tag)
    except ImageNotFound:
        _build(api, recipe, repository)
    _forget_others(api, repository, tag)
    return tag


def _build(api: Any, recipe: Recipe, repository: str) -> None:
    with tempfile.TemporaryFile() as stream:
        rootfs = RootFs(stream)
        recipe.fill(rootfs)
        rootfs.close()
        stream.seek(0)
        api.import_image_from_data(stream, repository=repository, tag=recipe.tag, changes=list(recipe.changes))


def _forget_others(api: Any, repository: str, tag: str) -> None:
    old = {
        name: image["Id"] for image in api.images(name=repository) for name in image["RepoTags"] or [] if name != tag
    }
    if not old:
        return
    used = {container["ImageID"] for container in api.containers(all=True)}
    for name, image_id in old.items():
        if image_id in used:
            continue
        try:
            api.remove_image(name)
        except APIError as error:
            # A container made of it just now keeps it, and another call may have removed it.
            if error.status_code not in (404, 409):
                raise
