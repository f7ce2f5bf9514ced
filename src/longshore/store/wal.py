"""Reading a SQLite file together with its write-ahead log, by nothing but reading: for looking before touching.

Pure: bytes in, the database's image out. SQLite itself would do this too, but it writes beside the file while it
does, and it takes a log damaged in the middle for one that ends there, which would lose acknowledged commits.
Source: https://www.sqlite.org/fileformat2.html, section 4.
"""

import struct
from typing import NamedTuple

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_VERSION = 3_007_000
_MAGIC = 0x377F0682
_MASK = 0xFFFFFFFF


class DamagedError(Exception):
    """What is wrong with the bytes, in words."""


class _Frame(NamedTuple):
    page: int
    commit_pages: int
    """The size of the database in pages after this commit; 0 in the frames before a commit's last."""
    salts: tuple[int, int]
    sums: tuple[int, int]
    at: int


def image(database: bytes, log: bytes) -> bytearray:
    """The database as it stands with the committed frames of its log; raises DamagedError."""
    whole = bytearray(database)
    if any(log[: _HEADER.size]) or any(log):
        _apply(whole, log)
    return whole


def _apply(whole: bytearray, log: bytes) -> None:
    if len(log) < _HEADER.size:
        return  # a crash while the log was being made: nothing was committed through it
    magic, version, page_size, _, salt_1, salt_2, *expected = _HEADER.unpack_from(log)
    order = ">" if magic & 1 else "<"
    sums = _sum(log[:24], (0, 0), order)
    if magic & ~1 != _MAGIC or version != _VERSION or sums != tuple(expected) or page_size < 512:
        raise DamagedError("the head of its write-ahead log is damaged")
    frames = list(_frames(log, page_size))
    valid = 0
    for frame in frames:
        data = log[frame.at : frame.at + page_size]
        if frame.salts != (salt_1, salt_2):
            break
        sums = _sum(log[frame.at - 24 : frame.at - 16] + data, sums, order)
        if sums != frame.sums:
            break
        valid += 1
    _check_rest([frame for frame in frames[valid:] if frame.salts == (salt_1, salt_2)])
    while valid and not frames[valid - 1].commit_pages:
        valid -= 1
    for frame in frames[:valid]:
        start = (frame.page - 1) * page_size
        if start > len(whole):
            whole.extend(bytes(start - len(whole)))
        whole[start : start + page_size] = log[frame.at : frame.at + page_size]
    if valid:
        del whole[frames[valid - 1].commit_pages * page_size :]


def _frames(log: bytes, page_size: int) -> list[_Frame]:
    size = _FRAME.size + page_size
    found = []
    for at in range(_HEADER.size, len(log) - size + 1, size):
        page, commit_pages, salt_1, salt_2, *sums = _FRAME.unpack_from(log, at)
        found.append(_Frame(page, commit_pages, (salt_1, salt_2), (sums[0], sums[1]), at + _FRAME.size))
    return found


def _check_rest(rest: list[_Frame]) -> None:
    """Frames of this log after the first bad one: the torn commit that a power failure leaves, or damage?

    Each commit is on disk before the next begins. So frames after the end of the torn commit say that it was on
    disk whole, once. (Frames of an earlier round of the log have other salts and are not among these.)
    """
    ends = [number for number, frame in enumerate(rest) if frame.commit_pages]
    if len(ends) > 1:
        raise DamagedError("its write-ahead log is damaged in the middle")


def _sum(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = sums
    for even, odd in struct.iter_unpack(f"{order}II", data):
        first = (first + even + second) & _MASK
        second = (second + odd + first) & _MASK
    return first, second
