"""One request over HTTP/2, as a health check needs it: RFC 9113 frames, RFC 7541 headers of digits.

Knows just enough to learn an answer's `:status` and `grpc-status`. The dynamic table is switched off by our
settings, and of Huffman coding only the digits are read: other values are skipped by their length.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
NO_TABLE = b"\x00\x01\x00\x00\x00\x00"
"""SETTINGS_HEADER_TABLE_SIZE 0."""
STATIC_STATUS = {8: b"200", 9: b"204", 10: b"206", 11: b"304", 12: b"400", 13: b"404", 14: b"500"}
STATUS_NAMES = range(8, 15)
DIGITS = {
    **{format(value, "05b"): str(digit) for digit, value in enumerate((0, 1, 2))},
    **{format(0x19 + value, "06b"): str(3 + value) for value in range(7)},
}
"""Codes of digits in RFC 7541, appendix B."""
HUFFMAN_NAMES = {bytes.fromhex("9acac8b21234da8f"): b"grpc-status"}
LARGEST_FRAME = 1 << 14


class ProtocolError(Exception):
    """The other side does not speak HTTP/2, or refused the request."""


async def exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    *,
    wanted: Collection[bytes],
) -> dict[bytes, bytes]:
    """Send a request; those of the wanted headers and trailers that came. Raises ProtocolError and EOFError."""
    block = b"".join(_literal(name, value) for name, value in headers)
    flags = END_HEADERS | (0 if body else END_STREAM)
    writer.write(PREFACE + _frame(SETTINGS, 0, 0, NO_TABLE) + _frame(HEADERS, flags, 1, block))
    if body:
        writer.write(_frame(DATA, END_STREAM, 1, body))
    answer = _Answer(wanted)
    while not answer.complete:
        kind, flags, stream, payload = await _read_frame(reader)
        if stream == 1:
            answer.take(kind, flags, payload)
        elif kind == GOAWAY:
            raise ProtocolError("the connection was refused")
        writer.write(_reply(kind, flags, payload))
    return answer.found


class _Answer:
    """What has come of it so far."""

    def __init__(self, wanted: Collection[bytes]) -> None:
        self.found: dict[bytes, bytes] = {}
        self.complete = False
        self._wanted = wanted
        self._block = b""
        self._last = False

    def take(self, kind: int, flags: int, payload: bytes) -> None:
        """A frame of the request's stream."""
        if kind == RST_STREAM:
            if b":status" not in self.found:
                raise ProtocolError("the request was refused")
            self.complete = True
        elif kind == DATA:
            self.complete = bool(flags & END_STREAM)
        elif kind in (HEADERS, CONTINUATION):
            if kind == HEADERS:
                self._last = bool(flags & END_STREAM)
                payload = _without_padding(payload, flags)
            self._block += payload
            if flags & END_HEADERS:
                self.found.update((name, value) for name, value in _headers(self._block) if name in self._wanted)
                self._block = b""
                self.complete = self._last


def _reply(kind: int, flags: int, payload: bytes) -> bytes:
    """What a frame has to be answered with."""
    if kind in (SETTINGS, PING) and not flags & ACK:
        return _frame(kind, ACK, 0, payload if kind == PING else b"")
    if kind == DATA and payload and not flags & END_STREAM:
        window = len(payload).to_bytes(4, "big")
        return _frame(WINDOW_UPDATE, 0, 0, window) + _frame(WINDOW_UPDATE, 0, 1, window)
    return b""


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


async def _read_frame(reader: asyncio.StreamReader) -> tuple[int, int, int, bytes]:
    head = await reader.readexactly(9)
    length = int.from_bytes(head[:3], "big")
    if length > LARGEST_FRAME:
        raise ProtocolError("a frame above the size we allow")
    return head[3], head[4], int.from_bytes(head[5:9], "big") & 0x7FFFFFFF, await reader.readexactly(length)


def _without_padding(payload: bytes, flags: int) -> bytes:
    start, end = 0, len(payload)
    if flags & PADDED:
        start, end = 1, end - payload[0]
    if flags & PRIORITY:
        start += 5
    return payload[start:end]


def _literal(name: str, value: str) -> bytes:
    """A header that goes into no table, without Huffman coding."""
    return b"\x00" + _string(name.encode()) + _string(value.encode())


def _string(text: bytes) -> bytes:
    return _integer(len(text), 7) + text


def _integer(value: int, bits: int) -> bytes:
    limit = (1 << bits) - 1
    if value < limit:
        return bytes((value,))
    out = bytearray((limit,))
    value -= limit
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    out.append(value)
    return bytes(out)


def _headers(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The headers of a block that this module can read; the others come with an empty name."""
    at = 0
    try:
        while at < len(block):
            first = block[at]
            if first & 0x80:  # both from the static table
                index, at = _read_integer(block, at, 7)
                yield (b":status", STATIC_STATUS[index]) if index in STATIC_STATUS else (b"", b"")
            elif first & 0xE0 == 0x20:  # the table's size
                _, at = _read_integer(block, at, 5)
            else:
                index, at = _read_integer(block, at, 6 if first & 0x40 else 4)
                name = b":status" if index in STATUS_NAMES else b""
                if not index:
                    name, at = _read_string(block, at)
                value, at = _read_string(block, at)
                yield name, value
    except IndexError:
        raise ProtocolError("headers end early") from None


def _read_integer(block: bytes, at: int, bits: int) -> tuple[int, int]:
    limit = (1 << bits) - 1
    value = block[at] & limit
    at += 1
    if value < limit:
        return value, at
    shift = 0
    while True:
        byte = block[at]
        at += 1
        value += (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at


def _read_string(block: bytes, at: int) -> tuple[bytes, int]:
    coded = block[at] & 0x80
    length, at = _read_integer(block, at, 7)
    raw = block[at : at + length]
    if len(raw) < length:
        raise ProtocolError("headers end early")
    return (_decoded(raw) if coded else raw), at + length


def _decoded(raw: bytes) -> bytes:
    """Digits, or one of the names we look for; anything else is empty."""
    if raw in HUFFMAN_NAMES:
        return HUFFMAN_NAMES[raw]
    bits = "".join(format(byte, "08b") for byte in raw)
    digits = ""
    while len(bits) >= 8 or not set(bits) <= {"1"}:
        code = next((code for code in DIGITS if bits.startswith(code)), None)
        if code is None:
            return b""
        digits += DIGITS[code]
        bits = bits[len(code) :]
    return digits.encode()
