"""Key pairs of users: the secrets that signatures are checked with, and whose they are."""

from longshore.api.callers.auth import Caller
from longshore.api.callers.credentials import Principal
from longshore.domain.iam import AccessKey, User
from longshore.domain.secrets.vault import Vault
from longshore.store.store import Reader, Transaction

USE_NOTED_S = 900.0
"""How exactly it is known when a key was last used: a write for each request would be too many."""


def note_use(tx: Transaction, caller: Caller, service: str, now: float) -> None:
    """Keep that a user's key was used, unless that was kept a moment ago."""
    if not caller.principal.is_user or caller.principal.session:
        return
    for key in tx.select(AccessKey, "id", (caller.access_key_id,)):
        if key.last_used_at is None or now - key.last_used_at >= USE_NOTED_S:
            tx.put(key.but(last_used_at=now, last_used_region=caller.region, last_used_service=service))


class UserKeys:
    """Reads access keys from the store."""

    def __init__(self, reader: Reader, vault: Vault) -> None:
        self._reader = reader
        self._vault = vault

    def secret_for(self, access_key_id: str) -> str | None:
        """The secret of an active key; None for all others."""
        key = self._active(access_key_id)
        return self._vault.open(key.sealed_secret).decode() if key else None

    def principal(self, access_key_id: str) -> Principal | None:
        """The user of an active key."""
        key = self._active(access_key_id)
        user = self._reader.get(User, (key.account, key.region, key.user_name)) if key else None
        return Principal(user.arn, user.account, source=user.arn, unique_id=user.unique_id) if user else None

    def _active(self, access_key_id: str) -> AccessKey | None:
        found = self._reader.select(AccessKey, "id", (access_key_id,))
        return found[0] if found and found[0].status == "Active" else None
