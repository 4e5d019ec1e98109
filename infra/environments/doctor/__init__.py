"""`mbgate doctor`: finds everything that would make `pulumi up` fail or a person get stuck, and changes nothing.

One module a family of checks; `registry` lists them, `runner` runs them side by side, each within its own time.
"""

from .model import Finding
from .registry import CHECKS
from .runner import run_checks
from .subject import Subject, open_subject

__all__ = ["CHECKS", "Finding", "Subject", "open_subject", "run_checks"]
