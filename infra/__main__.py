"""The Pulumi program: read the settings, build the stack, export what others need."""

from pathlib import Path

import pulumi

from infra import settings, stack

for name, value in stack.build(settings.read(), Path(__file__).resolve().parent.parent).items():
    pulumi.export(name, value)
