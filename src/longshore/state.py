"""The state folder: what is in it, and who may read it. Called by `main` and by `longshore keys`."""

import base64
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from longshore.api.callers.credentials import MASTER_KEY_BYTES

DATABASE = "state.db"
EVENTS = "events.db"
ACCESS_LOGS = "access-logs"
"""A folder for what load balancers log: the buckets are in it."""
IMAGES = "registry"
"""A folder for what the images of repositories consist of."""
SECRET = "secret.key"  # noqa: S105  a file's name
GIVEN = "LONGSHORE_SECRET_KEY"
"""The variable that holds the key where that file doesn't."""
INSTANCE = "instance"
ROOM_BYTES = 8 << 20


class StateRefused(Exception):  # noqa: N818  reads as what happened
    """The state folder can't be used; says what to do."""


def open_folder(folder: Path) -> None:
    """Make the folder, for its owner alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StateRefused(
            f"The state folder {folder} can't be made: {error.strerror}. Choose one with --state."
        ) from None


def takes_a_file(folder: Path | None) -> bool:
    """Whether the disk below the folder has room for some more state (8 MiB), tried by writing it."""
    if folder is None:
        return True
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(ROOM_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError:
        return False
    return True


def master_key(folder: Path | None, given: str, *, make: bool = True) -> bytes:
    """The master key: given (base64), or the folder's own, made when it is first needed; chance without a folder.

    Raises StateRefused for what is no key, and for a folder without one where none is to be made.
    """
    if given:
        return _decode(given, GIVEN)
    if folder is None:
        return secrets.token_bytes(MASTER_KEY_BYTES)
    if not make and not (folder / SECRET).exists():
        raise StateRefused(
            f"The state in {folder} belongs to a master key that is not here: put its {SECRET} back, or set {GIVEN} to "
            "that key; without it, begin with another state folder (--state)."
        )
    text = _kept(folder / SECRET, lambda: base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)).decode())
    return _decode(text, str(folder / SECRET))


def instance_id(folder: Path | None) -> str:
    """Eight hexadecimal digits that name this Longshore on a Docker Engine it may share."""
    return secrets.token_hex(4) if folder is None else _kept(folder / INSTANCE, lambda: secrets.token_hex(4))


def runtime_folder(instance: str) -> Path:
    """Where this Longshore keeps what must not outlive the machine's run: in memory where the machine has that."""
    own = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/tmp/longshore-{os.getuid()}")  # noqa: S108  made 0700
    return (Path("/run") if os.access("/run", os.W_OK) else own) / "longshore" / instance


def _decode(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise StateRefused(
            f"{where} must hold {MASTER_KEY_BYTES} bytes in base64: `openssl rand -base64 32` makes some."
        )
    return key


def _kept(path: Path, make: Callable[[], str]) -> str:
    """The text of a small file, made once and whole: a crash leaves it absent or complete."""
    if path.exists():
        return path.read_text().strip()
    text = make()
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return text
