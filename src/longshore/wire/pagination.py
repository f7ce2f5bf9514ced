"""Pagination tokens: opaque, and stable over restarts and over inserts between pages.

A token carries the last key shown, not an offset, so nothing is skipped or shown twice when items come and go.
Its checksum tells garbage, and tokens of another operation, from ours; it is no secret, as a key gives nothing away.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from longshore.wire.errors import ApiError

T = TypeVar("T")

MAX_TOKEN = 4096
_VERSION = b"\x01"
_CHECK_BYTES = 9


def _checksum(operation: str, scope: str, key: bytes) -> bytes:
    head = f"{len(operation)}:{operation}{len(scope)}:{scope}".encode("utf-8", "surrogatepass")
    return hashlib.blake2s(head + key, digest_size=_CHECK_BYTES).digest()


def encode_token(operation: str, key: str, *, scope: str = "") -> str:
    """Return the token that continues `operation` after `key`.

    `scope` may hold what else must be the same on the next page (the cluster, a filter).
    """
    packed = key.encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(_VERSION + _checksum(operation, scope, packed) + packed).decode().rstrip("=")


def decode_token(operation: str, token: str, *, code: str, scope: str = "") -> str:
    """Return the key in a token, or raise ApiError with `code`."""
    try:
        if not token.isascii() or len(token) > MAX_TOKEN:
            raise ValueError("no token of ours")
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        check, key = raw[1 : 1 + _CHECK_BYTES], raw[1 + _CHECK_BYTES :]
        if raw[:1] != _VERSION or check != _checksum(operation, scope, key):
            raise ValueError("no token of this operation")
        return key.decode("utf-8", "surrogatepass")
    except (ValueError, binascii.Error):
        message = "The pagination token is not valid. Use the token of the previous page of the same request."
        raise ApiError(code, message, status=400) from None


def page(
    items: Sequence[T],
    key: Callable[[T], str],
    limit: int,
    token: str | None,
    *,
    operation: str,
    code: str = "InvalidParameterException",
    scope: str = "",
    descending: bool = False,
) -> tuple[list[T], str | None]:
    """Return one page and the token of the next.

    `items` stand in the order of their unique keys. Only the items of the page are looked at, and a few to find it.
    """
    if limit < 1:
        raise ValueError("a page holds at least one item")
    start = 0
    if token:
        last = decode_token(operation, token, code=code, scope=scope)
        start = _after(items, key, last, descending=descending)
    shown = list(items[start : start + limit])
    more = start + limit < len(items)
    return shown, encode_token(operation, key(shown[-1]), scope=scope) if more else None


def _after(items: Sequence[T], key: Callable[[T], str], last: str, *, descending: bool) -> int:
    """Return the position of the first item behind `last`, by halving."""
    low, high = 0, len(items)
    while low < high:
        middle = (low + high) // 2
        at = key(items[middle])
        if at >= last if descending else at <= last:
            low = middle + 1
        else:
            high = middle
    return low
