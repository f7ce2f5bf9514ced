"""How text gets into a HAProxy configuration: quoting, names, wildcards. What a user wrote gets in no other way."""

import re
from collections.abc import Iterator, Sequence

SAFE = frozenset(range(0x20, 0x7F)) - frozenset(b'"\\$`')
"""What stands for itself within double quotes."""
NAME = re.compile(r"[A-Za-z0-9-]+")
HEADER = re.compile(r"[A-Za-z0-9_-]+")
GROUP, OPEN = "g-", "-open"
STATE_FILE = "servers.state"
"""In the process's folder: what servers begin with."""
ESCAPABLE = '*?\\"'
"""What a backslash makes literal in a pattern, as in ELBv2's query string and header conditions."""


def escaped(text: str) -> str:
    r"""Text within double quotes: every byte that could mean something is `\xNN`.

    Raises ValueError for a zero byte, which HAProxy's words can't hold.
    """
    raw = text.encode()
    if 0 in raw:
        raise ValueError("A text for HAProxy can't contain a zero byte.")
    return "".join(chr(byte) if byte in SAFE else f"\\x{byte:02x}" for byte in raw)


def quoted(text: str) -> str:
    """One word of the configuration."""
    return f'"{escaped(text)}"'


def verbatim(text: str) -> str:
    """Text that stands for itself within a log-format within double quotes."""
    return escaped(text.replace("%", "%%"))


def argument(text: str) -> str:
    """An argument of a fetch or converter, such as a regular expression; the expression must still be `quoted`."""
    return "'" + text.replace("'", "'\\''") + "'"


def name_of(identifier: str) -> str:
    """An id of ours as part of a proxy's name. Raises ValueError for what could not be one."""
    if not NAME.fullmatch(identifier):
        raise ValueError(f"{identifier!r} can't be part of a name in HAProxy's configuration.")
    return identifier


def header_name(name: str) -> str:
    """The name of a header that we write. Raises ValueError for what could not be one."""
    if not HEADER.fullmatch(name):
        raise ValueError(f"{name!r} can't be the name of a header.")
    return name


def group_backend(group_id: str) -> str:
    """The backend of a target group."""
    return f"{GROUP}{name_of(group_id)}"


def open_backend(group_id: str) -> str:
    """Its twin, if it has one: takes over when no target is healthy, with every registered target, without checks."""
    return f"{group_backend(group_id)}{OPEN}"


def group_of(backend: str) -> str | None:
    """The id of the group that a backend is of; None for twins, and for what is no group's."""
    if not backend.startswith(GROUP) or backend.endswith(OPEN):
        return None
    return backend.removeprefix(GROUP)


def listener_frontend(listener_id: str) -> str:
    """The frontend of a listener."""
    return f"l-{name_of(listener_id)}"


def wildcard(pattern: str, any_character: str = ".") -> tuple[str, str]:
    """`(match method, text)` for a pattern with `*` and `?`: the cheapest method that does it.

    `any_character` is the regular expression for what a wildcard may stand for.
    """
    parts = list(_parts(pattern))
    wild = [index for index, part in enumerate(parts) if part in ("*", "?")]
    literal = "".join(part[-1] for part in parts)
    if not wild:
        return "str", literal
    if any_character == "." and [parts[index] for index in wild] == ["*"] and len(parts) > 1:
        if wild == [len(parts) - 1]:
            return "beg", literal[:-1]
        if wild == [0]:
            return "end", literal[1:]
    return "reg", f"^{wildcard_regex(pattern, any_character)}$"


def wildcard_regex(pattern: str, any_character: str = ".") -> str:
    """The regular expression, not anchored, for a pattern with `*` and `?`."""
    symbols = {"*": f"{any_character}*", "?": any_character}
    return "".join(symbols.get(part) or escape(part[-1]) for part in _parts(pattern))


def escape(text: str) -> str:
    """Text as a regular expression (PCRE)."""
    return "".join(c if c.isalnum() or c == "_" else f"\\{c}" for c in text)


def _parts(pattern: str) -> Iterator[str]:
    r"""The pattern's characters; a literal one that would be a wildcard comes with its backslash."""
    escaped = False
    for character in pattern:
        if escaped:
            yield f"\\{character}" if character in ESCAPABLE else character
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            yield character
    if escaped:
        yield "\\\\"


def block(head: str, lines: Sequence[str]) -> str:
    """A section."""
    return "\n".join([head, *(f"    {line}" for line in lines)]) + "\n"
