"""Terraform offline: finds the program and a mirror of the AWS provider, and runs a project in a folder of its own.

Called by the Terraform tests of tests/e2e. A mirror is a folder in which `registry.terraform.io/hashicorp/aws` lies, as
`terraform providers mirror` makes it. It is looked for, in this order: where TF_PLUGIN_MIRROR or TF_PLUGIN_CACHE_DIR
points, in Terraform's own plugin folders, and a few levels below the folders where programs are installed.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROVIDER = Path("registry.terraform.io/hashicorp/aws")
VERSION = "5.100.0"
LIMIT_S = 120.0
INSTALLED = ("/opt", "/usr/local", "/usr/share", "/usr/lib", "/var/lib", "/srv")
LEVELS = 3


def why_unavailable() -> str | None:
    """Why Terraform can't be tested on this machine, and what to do; None if it can."""
    if shutil.which("terraform") is None:
        return "Terraform is not on PATH: install it (https://developer.hashicorp.com/terraform/install)."
    if mirror() is None:
        return (
            f"No mirror of the Terraform provider hashicorp/aws {VERSION} was found: make one with "
            "`terraform providers mirror FOLDER` and set TF_PLUGIN_MIRROR=FOLDER."
        )
    return None


@functools.cache
def mirror() -> Path | None:
    """The folder to give Terraform as `filesystem_mirror`."""
    return next((folder for folder in _candidates() if _has_provider(folder)), None)


def _candidates() -> Iterator[Path]:
    for name in ("TF_PLUGIN_MIRROR", "TF_PLUGIN_CACHE_DIR"):
        if os.environ.get(name):
            yield Path(os.environ[name])
    home = Path.home()
    yield from (home / ".terraform.d/plugins", home / ".local/share/terraform/plugins")
    for top in INSTALLED:
        for level in range(LEVELS):
            yield from (found.parent for found in Path(top).glob("*/" * level + PROVIDER.parts[0]))


def _has_provider(folder: Path) -> bool:
    """Terraform reads both layouts: unpacked, and the registry's archives."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    system = f"{platform.system().lower()}_{machine}"
    provider = folder / PROVIDER
    unpacked, packed = provider / VERSION / system, provider / f"terraform-provider-aws_{VERSION}_{system}.zip"
    return unpacked.is_dir() or packed.is_file()


_REASON = why_unavailable()
NEEDED = pytest.mark.skipif(_REASON is not None, reason=_REASON or "")
"""The mark of tests that run Terraform."""


class Terraform:
    """A project in a folder, and the variables it is given."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, limit_s: float = LIMIT_S) -> None:
        """`limit_s`: how long one command may take."""
        found = mirror()
        assert found is not None, why_unavailable()
        self._limit_s = limit_s
        self.folder = folder
        folder.mkdir(parents=True)
        settings = folder / "terraform.rc"
        path = json.dumps(str(found))
        settings.write_text(f"provider_installation {{\n  filesystem_mirror {{\n    path = {path}\n  }}\n}}\n")
        kept = {name: value for name, value in environment.items() if not name.startswith("TF_")}
        self._environment = {
            **kept,
            "HOME": str(folder),  # a user's own AWS profiles have no part in it
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": str(settings),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
        }

    def init(self) -> None:
        """Install the provider from the mirror."""
        self._run("init")

    def apply(self, **variables: str) -> None:
        """Make what the project says. The variables hold from now on."""
        self._environment.update({f"TF_VAR_{name}": value for name, value in variables.items()})
        self._run("apply", "-auto-approve")

    def changes(self) -> str:
        """What a plan would change; empty if nothing."""
        done = self._run("plan", "-detailed-exitcode", "-lock=false", codes=(0, 2))
        return done.stdout if done.returncode == 2 else ""

    def outputs(self) -> dict[str, Any]:
        """The project's outputs."""
        found: dict[str, dict[str, Any]] = json.loads(self._run("output", "-json").stdout)
        return {name: entry["value"] for name, entry in found.items()}

    def resources(self) -> list[str]:
        """The addresses in its state."""
        return self._run("state", "list").stdout.split()

    def destroy(self) -> None:
        """Remove all that it made."""
        self._run("destroy", "-auto-approve")

    def _run(self, command: str, *words: str, codes: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        colour = () if command == "state" else ("-no-color",)
        try:
            done = subprocess.run(
                ["terraform", command, *words[:1], *colour, *words[1:]],
                cwd=self.folder,
                env=self._environment,
                capture_output=True,
                text=True,
                timeout=self._limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired as expired:
            said = (expired.stdout or b"").decode()
            raise AssertionError(f"terraform {command} did not end in {self._limit_s:.0f} s:\n{said}") from None
        assert done.returncode in codes, (
            f"terraform {command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
        return done
