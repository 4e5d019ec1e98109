"""`pulumi-resource-docker` for offline machines: networks, volumes, images and containers of the local engine.

It speaks the official type tokens (pulumi_docker 5.2) over the official `docker` SDK, and only to an engine on this
machine. An input that it does not know is an error, never ignored.
"""
