"""`pulumi-resource-cloudflare` for offline machines: the official provider's resources against a loopback API.

It speaks the official type tokens and puts the same requests on the wire (pulumi_cloudflare 6.23, that is
terraform-provider-cloudflare 5.22). It refuses every API address that is not on this machine.
"""
