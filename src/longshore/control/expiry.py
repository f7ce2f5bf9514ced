"""Removes what was marked for deletion and whose time is over: secrets after their recovery window, keys after theirs.

A timer, started by `main`. What is due is nobody's already (`decide/secrets/secrets.py`, `decide/secrets/encryption.py`
look at the time themselves), so nothing here is urgent: but then what they held must go from the disk.
"""

from longshore.control.loop import Timer
from longshore.domain.clock import Clock
from longshore.domain.secrets.encryption_key import EncryptionKey, KeyAlias, KeyGrant
from longshore.domain.secrets.secret import Secret, SecretVersion
from longshore.store.store import Store, Transaction

SWEEP_S = 600.0


class Expiry:
    """Sweeps every ten minutes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.timer = Timer("expiry", self.sweep, SWEEP_S)

    async def sweep(self) -> None:
        """One sweep, in one transaction; none where nothing is due."""
        now = self._clock.now()
        secrets = [each for each in self._store.select(Secret, "expiring", ()) if _due(each.deletion_at, now)]
        keys = [each for each in self._store.select(EncryptionKey, "expiring", ()) if _due(each.deletion_at, now)]
        if not secrets and not keys:
            return
        with self._store.transaction() as tx:
            for secret in secrets:
                _remove_secret(tx, secret)
            for key in keys:
                _remove_key(tx, key)


def _due(deletion_at: float | None, now: float) -> bool:
    return deletion_at is not None and deletion_at <= now


def _remove_secret(tx: Transaction, secret: Secret) -> None:
    for version in tx.select(SecretVersion, "secret", (*secret.scope, secret.name)):
        tx.delete(SecretVersion, version.key)
    tx.delete(Secret, secret.key)


def _remove_key(tx: Transaction, key: EncryptionKey) -> None:
    """The key with its materials, and what names it: as on AWS, all that it encrypted is lost."""
    for alias in tx.select(KeyAlias, "key", (*key.scope, key.key_id)):
        tx.delete(KeyAlias, alias.key)
    for grant in tx.select(KeyGrant, "key", (*key.scope, key.key_id)):
        tx.delete(KeyGrant, grant.key)
    tx.delete(EncryptionKey, key.key)
