"""What goes wrong while images are made."""

from __future__ import annotations


class ImageError(Exception):
    """An image can't be made; the message is one line that says why and what to do."""
