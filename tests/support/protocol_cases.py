"""The protocol test cases of botocore's source distribution, of the version that is installed.

They are fetched from the package index once, checked against the index's own hash, and kept in `.cache/botocore/`;
afterwards nothing is asked of the network. They are never copied into the repository.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import botocore
import httpx

INDEX = "https://pypi.org/simple/botocore/"
FOLDER = Path(__file__).parents[2] / ".cache" / "botocore"


class Case(NamedTuple):
    """One case with the model it stands in."""

    id: str
    description: dict[str, Any]  # a service description without operations
    case: dict[str, Any]


def archive() -> Path:
    """Return the source distribution, fetching it at the first call on a machine."""
    name = f"botocore-{botocore.__version__}.tar.gz"
    path = FOLDER / name
    if path.exists():
        return path
    with httpx.Client(timeout=120, follow_redirects=True) as client:
        index = client.get(INDEX, headers={"Accept": "application/vnd.pypi.simple.v1+json"}).raise_for_status().json()
        file = next(entry for entry in index["files"] if entry["filename"] == name)
        content = client.get(file["url"]).raise_for_status().content
    if hashlib.sha256(content).hexdigest() != file["hashes"]["sha256"]:
        raise ValueError(f"{name} does not have the hash that the index states: try again")
    FOLDER.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.part")  # test processes may fetch at the same time
    partial.write_bytes(content)
    partial.replace(path)
    return path


@cache
def cases(direction: str) -> list[Case]:
    """Return all cases of "input" or "output"."""
    found = []
    with tarfile.open(archive()) as tar:
        for member in tar:
            parts = Path(member.name).parts
            if len(parts) < 3 or parts[-3:-1] != ("protocols", direction) or not member.name.endswith(".json"):
                continue
            if "legacy" in parts:
                continue
            file = tar.extractfile(member)
            assert file is not None
            for suite in json.load(file):
                description = {key: value for key, value in suite.items() if key not in ("cases", "description")}
                for number, case in enumerate(suite["cases"]):
                    name = case.get("id") or f"{suite['description']}-{number}"
                    found.append(Case(f"{parts[-1].removesuffix('.json')}:{name}", description, case))
    return found
