"""In place of `mbgate policy review`: whether the head's roles say GAIN and the base's don't, by git alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

assert not {"TOKEN", "MBGATE_FORGE_TOKEN"} & set(os.environ), "only what talks to the forge gets its token"
words = sys.argv[3:]
options = dict(zip(words, [*words[1:], ""], strict=True))


def roles(ref: str) -> str:
    """The policies of a commit, as data."""
    shown = ["git", "show", f"{ref}:policies/roles.yaml"]
    return subprocess.run(shown, capture_output=True, text=True, check=True).stdout


gains = "GAIN" in roles(options["--head"]) and "GAIN" not in roles(options["--base"])
consents = json.loads(Path(options["--consent"]).read_text())["consents"] if "--consent" in options else []
print(roles(options["--head"]))
text = "one gain" if gains else "no change"
if "HUGE" in roles(options["--head"]):
    text += "".join(f"{n:x}" for n in range(40_000))
if "CRASH" in roles(options["--head"]):
    sys.exit("no review")
Path(options["--output"]).write_text(f"## Policy review\n\n{text}, accepted by {[c['by'] for c in consents]}\n")
sys.exit(1 if "--strict" in words and gains and not consents else 0)
