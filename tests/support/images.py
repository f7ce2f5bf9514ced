"""Images for tests, built from what Debian installs: no registry, no network.

`busybox_image(url)` makes sure that `longshore-test/busybox:latest` exists in the Engine at `url` and is current, and
returns its name; present already, that is one request. By hand: `python -m tests.support.images`.

What is in it: busybox with all applets in /bin, users root and `app` (1000:1000, home /home/app), a world-writable
/tmp, and `http-get HOST PORT [PATH]`, which prints the response's body and fails unless the status is 2xx or 3xx.
Use that one: busybox's own wget and nslookup crash in Debian's static build.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
from pathlib import Path
from urllib.parse import quote

from tests.support import engine

BUSYBOX = "longshore-test/busybox:latest"
PYTHON = "longshore-test/python:latest"
SYSTEM_PYTHON = Path("/usr/bin/python3")
LEFT_OUT = {"__pycache__", "test", "lib2to3", "ensurepip", "idlelib", "tkinter", "dist-packages", "pydoc_data"}
DIGEST_LABEL = "longshore-test.digest"

_HTTP_GET = r"""#!/bin/sh
# http-get HOST PORT [PATH]: print the body; exit 1 unless the status is 2xx or 3xx, 2 if nobody answers in 5 s
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
printf 'GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n' "${3:-/}" "$1:$2" \
  | timeout 5 nc -w 5 "$1" "$2" >"$answer" || [ -s "$answer" ] || exit 2
sed '1,/^\r*$/d' "$answer"
read -r _ status _ <"$answer"
case "$status" in 2*|3*) exit 0 ;; *) echo "http-get: status $status" >&2; exit 1 ;; esac
"""

_FILES = {
    "etc/passwd": ("root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n", 0o644),
    "etc/group": ("root:x:0:\napp:x:1000:\n", 0o644),
    "etc/nsswitch.conf": ("passwd: files\ngroup: files\nhosts: files dns\n", 0o644),
    "bin/http-get": (_HTTP_GET, 0o755),
}
_DIRECTORIES = {
    "bin": 0o755, "dev": 0o755, "etc": 0o755, "home": 0o755, "home/app": 0o777, "proc": 0o755, "root": 0o700,
    "sbin": 0o755, "sys": 0o755, "tmp": 0o1777, "usr": 0o755, "usr/bin": 0o755, "var": 0o755, "www": 0o755,
}  # fmt: skip
_CHANGES = ("ENV PATH=/bin:/usr/bin:/sbin", 'CMD ["sh"]')


def busybox_image(url: str) -> str:
    """The name of the busybox image in the Engine at `url`, built if it is missing or out of date."""
    return _ensure(url, BUSYBOX, busybox_tar())


def python_image(url: str) -> str:
    """The name of an image with the machine's own Python 3 (Debian's) in it, besides busybox."""
    return _ensure(url, PYTHON, _python_tar())


def _ensure(url: str, name: str, root: bytes) -> str:
    digest = hashlib.sha256(root + "\n".join(_CHANGES).encode()).hexdigest()
    with engine.client(url) as http:
        present = http.get(f"/images/{quote(name)}/json")
        if present.is_success and (present.json()["Config"].get("Labels") or {}).get(DIGEST_LABEL) == digest:
            return name
        repository, tag = name.rsplit(":", 1)
        changes = [*_CHANGES, f"LABEL {DIGEST_LABEL}={digest}"]
        answer = http.post(
            "/images/create",
            params={"fromSrc": "-", "repo": repository, "tag": tag, "changes": changes},
            content=root,
            headers={"content-type": "application/x-tar"},
        )
    if not answer.is_success or '"error"' in answer.text:
        raise RuntimeError(f"The Docker Engine at {url} did not import {name}: {answer.text.strip()}")
    return name


def busybox_tar() -> bytes:
    """The image's root as a tar, the same bytes for the same busybox."""
    program = _static_busybox()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, mode in _DIRECTORIES.items():
            entry = tarfile.TarInfo(path)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        _add_file(tar, "bin/busybox", program.read_bytes(), 0o755)
        for path, (text, mode) in _FILES.items():
            _add_file(tar, path, text.encode(), mode)
        for applet in sorted(_applets(program) - {"busybox"}):
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return buffer.getvalue()


def _python_tar() -> bytes:
    """Busybox's root with the interpreter, its standard library, and the libraries that both need."""
    program = SYSTEM_PYTHON.resolve()
    library = next(path for path in Path("/usr/lib").glob("python3.*") if path.name == program.name)
    needs = subprocess.run(["ldd", str(program)], check=True, capture_output=True, text=True).stdout
    shared = {Path(word) for word in needs.split() if word.startswith("/")}
    buffer = io.BytesIO(busybox_tar())
    with tarfile.open(fileobj=buffer, mode="a") as tar:
        for path in sorted(shared):
            _add_file(tar, str(path).lstrip("/"), path.resolve().read_bytes(), 0o755)
        _add_file(tar, "usr/bin/python3", program.read_bytes(), 0o755)
        for path in sorted(library.rglob("*")):
            if path.is_file() and not LEFT_OUT.intersection(path.relative_to(library).parts) and path.suffix != ".a":
                _add_file(tar, str(path).lstrip("/"), path.read_bytes(), 0o644)
    return buffer.getvalue()


def _add_file(tar: tarfile.TarFile, path: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _static_busybox() -> Path:
    for path in (Path("/bin/busybox"), Path("/usr/bin/busybox")):
        # "ld-linux" is the dynamic loader's name, which stands in every program that is not static.
        if path.is_file() and b"ld-linux" not in path.read_bytes()[:4096]:
            return path
    raise RuntimeError("No static busybox on this machine: run `make setup`, or install Debian's busybox-static.")


def _applets(program: Path) -> set[str]:
    listing = subprocess.run([str(program), "--list"], check=True, capture_output=True, text=True)
    return set(listing.stdout.split())


if __name__ == "__main__":
    sys.stdout.write(busybox_image(engine.docker_url()) + "\n")
