"""Entry point of `pulumi-resource-cloudflare`."""

import sys

from localcloud.plugins.cloudflare.provider import VERSION, CloudflareProvider
from localcloud.plugins.serving import serve

serve(CloudflareProvider(), VERSION, sys.argv[1:])
