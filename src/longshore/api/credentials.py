"""Key pairs and session tokens, all derived from one master key: nothing secret is stored beside it.

See `docs/decisions/0003-credentials.md`. Called by the request chain (`auth.py`), the task endpoint, `longshore keys`.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from longshore.wire.errors import ApiError

TASK_CREDENTIALS_S = 6 * 3600.0
"""How long a task's credentials are good for; SDKs ask again in time."""
MASTER_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeyPair:
    """What a client signs with."""

    access_key_id: str
    secret_access_key: str


@dataclass(frozen=True, slots=True)
class Principal:
    """Who speaks."""

    arn: str
    account: str


class Credentials:
    """All of one Longshore's credentials."""

    def __init__(self, master: bytes, account: str) -> None:
        if len(master) != MASTER_KEY_BYTES:
            raise ValueError(f"the master key must have {MASTER_KEY_BYTES} bytes, not {len(master)}")
        self._master = master
        self._account = account

    def root(self) -> KeyPair:
        """The account's root key pair."""
        access_key_id = "AKIA" + self._base32("root", 16)
        return KeyPair(access_key_id, self._secret(access_key_id))

    def for_task(self, task_arn: str, role_arn: str, now: float) -> dict[str, str]:
        """A task's credentials, as its SDK reads them at 169.254.170.2."""
        expires = now + TASK_CREDENTIALS_S
        claims = {"task": task_arn, "role": role_arn, "until": int(expires)}
        body = json.dumps(claims, separators=(",", ":"), sort_keys=True).encode()
        access_key_id = "ASIA" + self._base32("task" + body.decode(), 16)
        signature = self._mac("token", access_key_id.encode() + body)
        return {
            "RoleArn": role_arn,
            "AccessKeyId": access_key_id,
            "SecretAccessKey": self._secret(access_key_id),
            "Token": base64.b64encode(signature + body).decode(),
            "Expiration": datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def secret_for(self, access_key_id: str) -> str | None:
        """The secret of an access key id that we may have issued. What else it needs, `principal` checks."""
        if access_key_id == self.root().access_key_id or access_key_id.startswith("ASIA"):
            return self._secret(access_key_id)
        return None

    def principal(self, access_key_id: str, token: str | None, now: float) -> Principal:
        """Who holds a key pair whose signature was found good. Raises ApiError where the token is not."""
        if not access_key_id.startswith("ASIA"):
            return Principal(f"arn:aws:iam::{self._account}:root", self._account)
        claims = self._claims(access_key_id, token or "")
        if claims["until"] < now:
            raise ApiError(
                "ExpiredTokenException",
                "The security token included in the request is expired. Ask the credentials endpoint again.",
                status=400,
            )
        task_id = str(claims["task"]).rpartition("/")[2]
        account, _, role = str(claims["role"]).removeprefix("arn:aws:iam::").partition(":role/")
        name = role.rpartition("/")[2]
        return Principal(f"arn:aws:sts::{account}:assumed-role/{name}/{task_id}", account)

    def path_key(self, purpose: str, text: str) -> str:
        """An unguessable, stable name for something, for use in a path: 32 hexadecimal digits."""
        return self._mac(purpose, text.encode()).hex()[:32]

    def _claims(self, access_key_id: str, token: str) -> dict[str, int | str]:
        invalid = ApiError(
            "UnrecognizedClientException", "The security token included in the request is invalid.", status=400
        )
        try:
            raw = base64.b64decode(token, validate=True)
        except ValueError:
            raise invalid from None
        signature, body = raw[:32], raw[32:]
        if not hmac.compare_digest(signature, self._mac("token", access_key_id.encode() + body)):
            raise invalid
        claims: dict[str, int | str] = json.loads(body)
        return claims

    def _secret(self, access_key_id: str) -> str:
        return base64.b64encode(self._mac("secret", access_key_id.encode())).decode()[:40]

    def _base32(self, text: str, length: int) -> str:
        return base64.b32encode(self._mac("id", text.encode())).decode()[:length]

    def _mac(self, purpose: str, text: bytes) -> bytes:
        return hmac.new(self._master, purpose.encode() + b"\0" + text, hashlib.sha256).digest()
