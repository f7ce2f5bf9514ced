"""The resolv.conf that a task's containers share: ours is asked first, Docker's own resolver when ours doesn't answer.

Docker's, which is the only one in the file that Docker writes, asks ours as well, but has names of its own for the
addresses of containers: whoever looks one up would get those, or, as a pause container's name ends in a dot, nothing at
all. Called when a pause container has started, before others join it.
"""

import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)


def folder_of(docker_root: str) -> str:
    """Where an Engine of this machine keeps what containers have as /etc/resolv.conf; empty where we can't write there.

    Then tasks ask Docker's resolver alone.
    """
    folder = Path(docker_root) / "containers"
    return str(folder) if docker_root and os.access(folder, os.W_OK) else ""


def ask_first(folder: str, container_id: str, name_server: str) -> None:
    """Put a name server before those of a container that has just started.

    In place, for containers have the file itself.
    """
    try:
        with (Path(folder) / container_id / "resolv.conf").open("r+") as file:
            present = file.read()
            line = f"nameserver {name_server}\n"
            if not present.startswith(line):
                file.seek(0)
                file.write(line + present)
    except OSError as error:
        log.warning("a task asks Docker's resolver alone, which has other names for addresses: %s", error)
