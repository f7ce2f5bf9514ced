"""Key pairs and session tokens, all derived from one master key: nothing secret is stored beside it.

See `docs/decisions/0003-credentials.md`. Called by the request chain (`auth.py`), the task endpoint, `longshore keys`.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from longshore.domain.arn import Arn
from longshore.domain.iam import session_arn

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
    source: str = ""
    """The ARN of the user or role whose policies hold; empty for an account's root, which may do everything."""
    unique_id: str = ""
    """That of the user or role when the session began, since one made again under its name is another; or empty."""
    session: bool = False
    """Whether it speaks with a session token."""
    issued_at: float = 0.0
    """When the session began; 0 where there is none, and in tokens of older versions."""
    policies: tuple[str, ...] = ()
    """Documents that narrow the session."""
    policy_arns: tuple[str, ...] = ()
    """Managed policies that narrow it."""
    tags: dict[str, str] = field(default_factory=dict)
    """Tags of the session."""

    @property
    def is_user(self) -> bool:
        """Whether a user's policies hold, not a role's."""
        return ":user/" in self.source


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """What a session signs with."""

    access_key_id: str
    secret_access_key: str
    token: str
    expires_at: float


class TokenRefused(Exception):  # noqa: N818  reads as what happened
    """A session token is not good, or not any more."""

    def __init__(self, kind: Literal["invalid", "expired"]) -> None:
        super().__init__(kind)
        self.kind = kind


class Credentials:
    """All of one Longshore's credentials."""

    def __init__(self, master: bytes, account: str) -> None:
        if len(master) != MASTER_KEY_BYTES:
            raise ValueError(f"the master key must have {MASTER_KEY_BYTES} bytes, not {len(master)}")
        self._master = master
        self._account = account
        access_key_id = "AKIA" + self._base32("root", 16)
        self._root = KeyPair(access_key_id, self._secret(access_key_id))

    @property
    def account(self) -> str:
        """The account of the root key pair."""
        return self._account

    def root(self) -> KeyPair:
        """The account's root key pair."""
        return self._root

    def for_task(self, task_arn: str, role_arn: str, now: float) -> dict[str, str]:
        """A task's credentials, as its SDK reads them at 169.254.170.2."""
        expires = now + TASK_CREDENTIALS_S
        keys = self._issue("task", {"task": task_arn, "role": role_arn, "since": int(now), "until": int(expires)})
        return {
            "RoleArn": role_arn,
            "AccessKeyId": keys.access_key_id,
            "SecretAccessKey": keys.secret_access_key,
            "Token": keys.token,
            "Expiration": datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def for_session(self, principal: Principal, expires_at: float, nonce: str) -> SessionKeys:
        """A session's credentials. `nonce` tells it from others that begin at the same moment."""
        claims = {
            "arn": principal.arn,
            "account": principal.account,
            "source": principal.source,
            "unique": principal.unique_id,
            "policies": list(principal.policies),
            "managed": list(principal.policy_arns),
            "tags": principal.tags,
            "since": int(principal.issued_at),
            "until": int(expires_at),
            "nonce": nonce,
        }
        return self._issue("session", {name: value for name, value in claims.items() if value})

    def _issue(self, purpose: str, claims: dict[str, Any]) -> SessionKeys:
        body = json.dumps(claims, separators=(",", ":"), sort_keys=True).encode()
        access_key_id = "ASIA" + self._base32(purpose + body.decode(), 16)
        signature = self._mac("token", access_key_id.encode() + body)
        token = base64.b64encode(signature + body).decode()
        return SessionKeys(access_key_id, self._secret(access_key_id), token, float(claims["until"]))

    def secret_for(self, access_key_id: str) -> str | None:
        """The secret of an access key id that we may have issued. What else it needs, `principal` checks."""
        if access_key_id == self._root.access_key_id:
            return self._root.secret_access_key
        return self._secret(access_key_id) if access_key_id.startswith("ASIA") else None

    def principal(self, access_key_id: str, token: str | None, now: float) -> Principal:
        """Who holds a key pair whose signature was found good. Raises TokenRefused where the token is not.

        A task speaks in the account that it runs in, as on AWS, where its role must be of that account.
        """
        if not access_key_id.startswith("ASIA"):
            return Principal(f"arn:aws:iam::{self._account}:root", self._account)
        claims = self._claims(access_key_id, token or "")
        if claims["until"] < now:
            raise TokenRefused("expired")
        if "task" not in claims:
            return _of_session(claims)
        task = Arn.parse(claims["task"])
        account = task.scope.account if task is not None else self._account
        session = claims["task"].rpartition("/")[2]
        arn, since = session_arn(claims["role"], session, account), claims.get("since", 0.0)
        return Principal(arn, account, source=claims["role"], session=True, issued_at=since)

    def claimed(self, access_key_id: str, token: str, now: float) -> Principal | None:
        """Who a key pair and token are said to belong to, where no signature is checked; None where that is nobody."""
        try:
            return self.principal(access_key_id, token, now) if access_key_id.startswith("ASIA") else None
        except TokenRefused:
            return None

    def path_key(self, purpose: str, text: str) -> str:
        """An unguessable, stable name for something, for use in a path: 32 hexadecimal digits."""
        return self._mac(purpose, text.encode()).hex()[:32]

    def _claims(self, access_key_id: str, token: str) -> dict[str, Any]:
        try:
            raw = base64.b64decode(token, validate=True)
        except ValueError:
            raise TokenRefused("invalid") from None
        signature, body = raw[:32], raw[32:]
        if not hmac.compare_digest(signature, self._mac("token", access_key_id.encode() + body)):
            raise TokenRefused("invalid")
        claims: dict[str, Any] = json.loads(body)
        return claims

    def _secret(self, access_key_id: str) -> str:
        return base64.b64encode(self._mac("secret", access_key_id.encode())).decode()[:40]

    def _base32(self, text: str, length: int) -> str:
        return base64.b32encode(self._mac("id", text.encode())).decode()[:length]

    def _mac(self, purpose: str, text: bytes) -> bytes:
        return hmac.new(self._master, purpose.encode() + b"\0" + text, hashlib.sha256).digest()


def _of_session(claims: dict[str, Any]) -> Principal:
    """Who a session is, by its token."""
    return Principal(
        claims["arn"],
        claims["account"],
        source=claims.get("source", ""),
        unique_id=claims.get("unique", ""),
        session=True,
        issued_at=claims.get("since", 0.0),
        policies=tuple(claims.get("policies", ())),
        policy_arns=tuple(claims.get("managed", ())),
        tags=claims.get("tags", {}),
    )
