"""Entry point of `pulumi-resource-docker`."""

from localcloud.plugins.docker.provider import VERSION, DockerProvider
from localcloud.plugins.serving import serve


def main(arguments: list[str]) -> None:
    """Serves the provider; `arguments` are the engine's."""
    serve(DockerProvider(), VERSION, arguments)
