"""The real clock and real chance: what `main` passes in where tests pass in their own."""

import secrets
import string
import time

ALPHANUMERIC = string.ascii_letters + string.digits
POOL_BYTES = 4096


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Epoch seconds."""
        return time.time()


class SystemIds:
    """Names nobody can guess or make twice."""

    def __init__(self) -> None:
        self._pool = b""
        self._taken = 0

    def _bytes(self, count: int) -> bytes:
        """Random bytes, asked of the system many at a time: a task needs some, and each question is a system call."""
        if self._taken + count > len(self._pool):
            self._pool, self._taken = secrets.token_bytes(POOL_BYTES), 0
        begin = self._taken
        self._taken += count
        return self._pool[begin : self._taken]

    def hex(self, length: int) -> str:
        """Hexadecimal digits."""
        return self._bytes((length + 1) // 2).hex()[:length]

    def digits(self, length: int) -> str:
        """Decimal digits, the first not 0."""
        lowest: int = 10 ** (length - 1)
        return str(lowest + secrets.randbelow(9 * lowest))

    def token(self, length: int) -> str:
        """Letters and digits."""
        return "".join(secrets.choice(ALPHANUMERIC) for _ in range(length))

    def uuid(self) -> str:
        """A random UUID."""
        digits = self.hex(32)
        variant = "89ab"[int(digits[16], 16) % 4]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def choice(self, options: int) -> int:
        """A number below `options`."""
        return secrets.randbelow(options)
