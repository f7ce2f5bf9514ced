"""The real clock and real chance: what `main` passes in where tests pass in their own."""

import secrets
import string
import time
import uuid

ALPHANUMERIC = string.ascii_letters + string.digits


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Epoch seconds."""
        return time.time()


class SystemIds:
    """Names nobody can guess or make twice."""

    def hex(self, length: int) -> str:
        """Hexadecimal digits."""
        return secrets.token_hex((length + 1) // 2)[:length]

    def digits(self, length: int) -> str:
        """Decimal digits, the first not 0."""
        lowest: int = 10 ** (length - 1)
        return str(lowest + secrets.randbelow(9 * lowest))

    def token(self, length: int) -> str:
        """Letters and digits."""
        return "".join(secrets.choice(ALPHANUMERIC) for _ in range(length))

    def uuid(self) -> str:
        """A random UUID."""
        return str(uuid.uuid4())  # noqa: TID251  this is where they come from

    def choice(self, options: int) -> int:
        """A number below `options`."""
        return secrets.randbelow(options)
