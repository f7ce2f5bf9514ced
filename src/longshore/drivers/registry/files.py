"""The registry's files: https://distribution.github.io/distribution/ keeps everything under `docker/registry/v2`.

Only what its protocol has no word for is done here: which manifests there are, and taking a whole repository away.
All functions block for a moment; the driver calls them in a thread.
"""

import os
import shutil
from pathlib import Path

ROOT = Path("docker/registry/v2")
LINK_BYTES = len("sha256:") + 64


def repositories(storage: Path) -> frozenset[str]:
    """The repositories that there is anything of."""
    folder = storage / ROOT / "repositories"
    return frozenset(entry.name for entry in folder.iterdir()) if folder.is_dir() else frozenset()


def manifests(storage: Path, repository_id: str) -> frozenset[str]:
    """The digests of a repository's manifests."""
    folder = _repository(storage, repository_id) / "_manifests/revisions/sha256"
    if not folder.is_dir():
        return frozenset()
    return frozenset(f"sha256:{entry.name}" for entry in folder.iterdir() if (entry / "link").is_file())


def remove_repository(storage: Path, repository_id: str) -> None:
    """Take a repository away; what its manifests and layers consist of goes with the next collection."""
    folder = _repository(storage, repository_id)
    if folder.exists():
        shutil.rmtree(folder)


def mend(storage: Path) -> int:
    """Write the links again that a crash cut off while they were written; how many.

    The registry writes them in place. A link names by its own path what it is to say.
    """
    mended = 0
    for folder, _, files in os.walk(storage / ROOT / "repositories"):
        if "link" not in files or Path(folder).parent.name != "sha256":
            continue
        link = Path(folder, "link")
        if link.stat().st_size != LINK_BYTES:
            link.write_text(f"sha256:{link.parent.name}")
            mended += 1
    return mended


def _repository(storage: Path, repository_id: str) -> Path:
    return storage / ROOT / "repositories" / repository_id
