"""Ansible in a virtual environment of its own (`make fetch` makes it): it is large, and nothing else needs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parents[2] / ".cache" / "ansible"
LIMIT_S = 300.0
_CHANGED = re.compile(r"changed=(\d+)")


def play(playbook: Path, environment: Mapping[str, str], **settings: str) -> int:
    """Play a playbook; how many tasks changed something."""
    program = FOLDER / "bin" / "ansible-playbook"
    assert program.exists(), f"Ansible is not in {FOLDER}: `make fetch` installs it."
    given = [word for name, value in settings.items() for word in ("--extra-vars", f"{name}={value}")]
    # Ansible blots a secret out of all that its modules answer, so that it must not be a part of anything else.
    keys = {"AWS_ACCESS_KEY_ID": "any-key", "AWS_SECRET_ACCESS_KEY": "any-secret"}
    # The AWS CLI is in our own environment.
    path = os.pathsep.join((str(FOLDER / "bin"), str(Path(sys.executable).parent), environment["PATH"]))
    done = subprocess.run(
        [str(program), *given, str(playbook)],
        env={**environment, **keys, "PATH": path, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = _CHANGED.search(done.stdout)
    assert found is not None, done.stdout
    return int(found[1])
