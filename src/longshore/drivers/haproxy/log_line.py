"""Lines that HAProxy writes of requests for us to read: fields between tabs, after a word that says what they are of.

What a client wrote is URL-encoded (`url_enc`), so that it can't end a field. Pure; used for access logs of load
balancers and of Service Connect's proxies.
"""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import unquote_plus

LONGEST_LINE = 32768


def log_format(first: str, fetches: Iterable[str]) -> str:
    """The setting of a frontend that writes such lines."""
    fields = "\\x09".join((first, *fetches))
    return f'log-format "{fields}"'


def split(told: str) -> tuple[str, Sequence[str]]:
    """The first word of a line, and its values."""
    first, *values = told.rstrip("\n").split("\t")
    return first, values


def fields_of(fetches: Mapping[str, str], values: Sequence[str]) -> dict[str, str]:
    """The values of a line by their names, as they were before they were encoded."""
    return {
        name: unquote_plus(value) if "url_enc" in fetch else value
        for (name, fetch), value in zip(fetches.items(), values, strict=True)
    }


def printable(text: str) -> str:
    """Text within double quotes, as both ELBv2 and Envoy write what a client sent."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else f"\\x{ord(c):02x}" for c in text)
