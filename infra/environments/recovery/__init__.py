"""Recovery above the engine: after any kill, `recover` and then `pulumi up` bring state and cloud together again."""

from .backend import repair_files
from .model import Recovery
from .recover import recover

__all__ = ["Recovery", "recover", "repair_files"]
