"""Holds the master key against the state that it has sealed. Called by `main` once the state is open.

A state that has had its first start knows its key by a `KeyCheck`. One of an earlier version knows none, and takes a
key that opens something of what it holds. The check is written after the key's file and before anything is sealed, so
that a crash between any two of these leaves a state that the next start understands.
"""

from collections.abc import Iterator

from longshore.domain.elbv2.certificate import Authority, Certificate
from longshore.domain.iam import AccessKey
from longshore.domain.secrets.encryption_key import EncryptionKey
from longshore.domain.secrets.master_key import KeyCheck
from longshore.domain.secrets.vault import Vault
from longshore.state import StateRefused
from longshore.store.store import Reader, Store

WORD = b"longshore"
PLACE = {"account": "", "region": ""}
ANOTHER = (
    "The secrets in this state were sealed under another master key than {where} has: put the secret.key that was "
    "there back, or set LONGSHORE_SECRET_KEY to that key; without it, begin with another state folder (--state)."
)


def has_key(reader: Reader) -> bool:
    """Whether a state belongs to a master key, which must not be replaced then."""
    return next(reader.all(KeyCheck), None) is not None or next(_sealed(reader), None) is not None


def hold_to(store: Store, vault: Vault, where: str) -> None:
    """See to it that the vault's key is the state's. `where` says where the key is from. Raises StateRefused."""
    check = next(store.all(KeyCheck), None)
    if check is not None:
        fits = _opens(vault, check.sealed)
    else:
        sealed = list(_sealed(store))
        # Earlier versions replaced a lost key without a word: some of what is there may be lost, and the rest is not.
        fits = not sealed or any(_opens(vault, each) for each in sealed)
    if not fits:
        raise StateRefused(ANOTHER.format(where=where))
    if check is None:
        with store.transaction() as tx:
            tx.put(KeyCheck(**PLACE, sealed=vault.seal(WORD)))


def _opens(vault: Vault, sealed: str) -> bool:
    try:
        vault.open(sealed)
    except ValueError:
        return False
    return True


def _sealed(reader: Reader) -> Iterator[str]:
    """All that is sealed under the master key itself."""
    for key in reader.all(EncryptionKey):
        yield from (material.sealed for material in key.materials)
    for authority in reader.all(Authority):
        yield authority.sealed_key
    for certificate in reader.all(Certificate):
        yield certificate.sealed_key
    for access_key in reader.all(AccessKey):
        yield access_key.sealed_secret
