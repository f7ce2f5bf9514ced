"""The docker command against a server's registry, with a configuration (its logins) of its own."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import engine, images

if TYPE_CHECKING:
    from tests.support.server import Server

LIMIT_S = 120.0
NEEDED = pytest.mark.skipif(shutil.which("docker") is None, reason="The docker command is not on PATH.")


class DockerCli:
    """`docker`, as a user of one server has it."""

    def __init__(self, server: Server, config: Path) -> None:
        self._server = server
        self._config = config

    def __call__(self, *words: str, text: bytes = b"", code: int | None = 0) -> str:
        """Run a command; what it said, on both its outputs. `code`: what it must end with; None: anything but 0."""
        environment = {**self._server.environment(), "DOCKER_CONFIG": str(self._config)}
        done = subprocess.run(
            ["docker", *words], env=environment, input=text, capture_output=True, timeout=LIMIT_S, check=False
        )
        said = (done.stdout + done.stderr).decode()
        assert done.returncode == code if code is not None else done.returncode != 0, said
        return said

    def login(self) -> None:
        """Log in as users do: aws ecr get-login-password | docker login."""
        password = self._server.aws_text("ecr", "get-login-password")
        host = self._server.registry_host
        assert "Login Succeeded" in self("login", "--username", "AWS", "--password-stdin", host, text=password.encode())

    def make(self, name: str, word: str = "") -> None:
        """A small image under a name; another word makes another image."""
        self("import", "--change", f"LABEL word={word}", "-", name, text=images.busybox_tar())

    def forget(self, *names: str) -> None:
        """Remove images from the Engine, so that they must be pulled."""
        for name in names:
            self("rmi", "--force", name)

    def clean(self) -> None:
        """Remove from the Engine whatever has a name of this server's registry, or of AWS's."""
        with engine.client(self._server.docker_url) as http:
            for image in http.get("/images/json").json():
                names = [*(image["RepoTags"] or []), *(image["RepoDigests"] or [])]
                for name in names:
                    if name.startswith(self._server.registry_host) or ".dkr.ecr." in name:
                        http.delete(f"/images/{name}", params={"force": "true"})


def registries(server: Server) -> list[int]:
    """The registry processes of a server."""
    config = f"longshore/{server.instance}/registry/registry.json".encode()
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdecimal() and config in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found
