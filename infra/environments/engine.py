"""Runs the literal Pulumi CLI on a stack of the one program in `infra/`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from infra.errors import DeployError

Line = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One stack as the CLI sees it. Secrets reach the CLI by file and environment, never by argument."""

    cli: Path
    root: Path
    stack: str
    config_file: Path
    environment: dict[str, str] = field(repr=False)

    def run(self, *args: str, stdin: str | None = None, on_line: Line | None = None) -> str:
        """Runs `pulumi ARGS` on the stack and answers its output; a failure is one error in the engine's words."""
        # These work on the state alone, and do not know the flag.
        config = [] if args[0] in ("stack", "cancel") else ["--config-file", str(self.config_file)]
        return self._execute([str(self.cli), *args, "--stack", self.stack, *config], stdin, on_line)

    def stack_exists(self) -> bool:
        """True where the backend knows the stack."""
        return any(entry["name"].split("/")[-1] == self.stack for entry in self.list_stacks())

    def list_stacks(self) -> list[dict[str, Any]]:
        """Every stack of the project in the backend, as `pulumi stack ls --json` tells."""
        return list(json.loads(self._execute([str(self.cli), "stack", "ls", "--json"], None, None)))

    def init(self) -> str:
        """Makes the stack and answers its `encryptionsalt`.

        `stack init` writes the salt beside `Pulumi.yaml` and takes no `--config-file`, so it runs on a copy of the
        project file outside the checkout, which stays clean.
        """
        with tempfile.TemporaryDirectory(prefix="mbgate-init-") as folder:
            project = yaml.safe_load((self.root / "Pulumi.yaml").read_text())
            (Path(folder) / "Pulumi.yaml").write_text(yaml.safe_dump({k: project[k] for k in ("name", "runtime")}))
            command = [str(self.cli), "stack", "init", self.stack, "--secrets-provider", "passphrase", "--no-select"]
            self._execute([*command, "--cwd", folder], None, None)
            written = yaml.safe_load((Path(folder) / f"Pulumi.{self.stack}.yaml").read_text())
        return str(written["encryptionsalt"])

    def remove(self) -> None:
        """Forgets an empty stack and keeps its configuration file."""
        self._execute([str(self.cli), "stack", "rm", self.stack, "--yes", "--preserve-config"], None, None)

    def output(self, name: str) -> Any:
        """One export, in clear; the caller must keep a secret one off every screen and log."""
        return json.loads(self.run("stack", "output", name, "--json", "--show-secrets"))

    def config_keys(self) -> set[str]:
        """The keys that the configuration file has."""
        return set(json.loads(self.run("config", "--json")))

    def set_secret(self, key: str, value: str) -> None:
        """Encrypts one setting into the configuration file; the value goes by standard input."""
        self.run("config", "set", "--secret", key, stdin=value)

    def _execute(self, command: list[str], stdin: str | None, on_line: Line | None) -> str:
        process = subprocess.Popen(
            [*command, "--non-interactive"],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if on_line else subprocess.PIPE,
            text=True,
            errors="replace",
        )
        if on_line is None:
            out, err = process.communicate(stdin)
        else:
            out, err = _follow(process, on_line), ""
        if process.returncode != 0:
            raise DeployError(
                f"`pulumi {' '.join(command[1:3])}` failed:\n{_essence(out + err)}",
                code="pulumi-failed",
                help="what was done is kept: mend the cause and run the same command again",
            )
        return out


def _follow(process: subprocess.Popen[str], on_line: Line) -> str:
    seen = []
    assert process.stdout is not None  # noqa: S101 - Popen was given a pipe
    for line in process.stdout:
        seen.append(line)
        on_line(line.rstrip())
    process.wait()
    return "".join(seen)


def _essence(text: str) -> str:
    """The error lines of the CLI's output, or its end where none is marked."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and "warning: using pulumi-" not in line]
    marked = [line for line in lines if "error:" in line or line.startswith("error")]
    diagnostics = lines[lines.index("Diagnostics:") + 1 :] if "Diagnostics:" in lines else []
    return "\n".join((diagnostics or marked or lines)[-25:])


def stack_environment(
    *, backend: Path, passphrase_file: Path, token_file: Path, extra_path: list[Path]
) -> dict[str, str]:
    """The CLI's environment: a backend in files, the passphrase by file, the virtual environment's programs first.

    `extra_path` comes last, so that official plugins win over stand-ins.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith("PULUMI_CONFIG_PASSPHRASE")}
    path = [str(Path(sys.executable).parent), env.get("PATH", ""), *map(str, extra_path)]
    return {
        **env,
        "PATH": os.pathsep.join(path),
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase_file),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true" if extra_path else "false",
        "CLOUDFLARE_API_TOKEN": token_file.read_text().strip(),
    }
