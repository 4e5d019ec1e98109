"""Entry point of `pulumi-resource-cloudflare`."""

from localcloud.plugins.cloudflare.provider import VERSION, CloudflareProvider
from localcloud.plugins.serving import serve


def main(arguments: list[str]) -> None:
    """Serves the provider; `arguments` are the engine's."""
    serve(CloudflareProvider(), VERSION, arguments)
