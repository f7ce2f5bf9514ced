"""The master key and the state that it has sealed: which belong together, and what a start makes of others."""

from pathlib import Path

import pytest

from longshore.domain.iam import AccessKey
from longshore.domain.kinds import KINDS
from longshore.domain.secrets.master_key import KeyCheck
from longshore.sealing import has_key, hold_to
from longshore.state import SECRET, StateRefused, master_key
from longshore.store.open import open_store
from longshore.store.store import Store
from longshore.vault import MasterVault

OWN, OTHER = MasterVault(b"a" * 32), MasterVault(b"b" * 32)


@pytest.fixture
def store() -> Store:
    return open_store(None, KINDS)


def seal(store: Store, vault: MasterVault, name: str = "AKIA1") -> None:
    """Something that is sealed, as earlier versions left it: without a check."""
    made = AccessKey(
        account="123456789012",
        region="",
        access_key_id=name,
        user_name="ann",
        sealed_secret=vault.seal(b"secret"),
        created_at=1.0,
    )
    with store.transaction() as tx:
        tx.put(made)


def test_a_new_state_remembers_its_first_key_and_takes_no_other(store: Store) -> None:
    assert not has_key(store)
    hold_to(store, OWN, SECRET)
    assert has_key(store)
    hold_to(store, OWN, SECRET)
    assert len(list(store.all(KeyCheck))) == 1
    with pytest.raises(StateRefused, match=r"than secret\.key has: put the secret\.key that was there back"):
        hold_to(store, OTHER, SECRET)


def test_a_state_of_an_earlier_version_gets_a_check_from_a_key_that_opens_it(store: Store) -> None:
    seal(store, OWN)
    assert has_key(store)
    with pytest.raises(StateRefused, match="than LONGSHORE_SECRET_KEY has"):
        hold_to(store, OTHER, "LONGSHORE_SECRET_KEY")
    assert not list(store.all(KeyCheck))
    hold_to(store, OWN, SECRET)
    assert len(list(store.all(KeyCheck))) == 1


def test_a_state_whose_key_was_replaced_once_goes_on_with_the_one_it_has(store: Store) -> None:
    seal(store, OTHER, "AKIA1")
    seal(store, OWN, "AKIA2")
    hold_to(store, OWN, SECRET)
    assert len(list(store.all(KeyCheck))) == 1


def test_no_key_is_made_for_a_state_that_has_lost_its_own(tmp_path: Path) -> None:
    with pytest.raises(StateRefused, match="set LONGSHORE_SECRET_KEY to that key"):
        master_key(tmp_path, "", make=False)
    assert not list(tmp_path.iterdir())
    made = master_key(tmp_path, "")
    assert master_key(tmp_path, "", make=False) == made


def test_a_kill_between_the_key_and_its_check_leaves_a_state_that_takes_the_key(tmp_path: Path, store: Store) -> None:
    made = master_key(tmp_path, "", make=not has_key(store))
    # killed here: the next start finds the file, and nothing in the state
    again = master_key(tmp_path, "", make=not has_key(store))
    assert again == made
    hold_to(store, MasterVault(again), SECRET)
    assert has_key(store)
