"""What the engine's language host runs: `python -m pulumi.policy ADDRESS policies/guardrails`."""

import sys
from pathlib import Path

# This checkout's guardrails, also where the environment has another's installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from policies.guardrails.pack import run

run()
