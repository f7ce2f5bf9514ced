"""Commands for nft against golden files; UPDATE_GOLDEN=1 writes them anew: read the difference before committing.

nft itself reads each of them in tests/integration/test_firewall_nft.py.
"""

import os
from pathlib import Path

import pytest

from tests.support.firewall_cases import CASES

FOLDER = Path(__file__).parent / "firewall"


@pytest.mark.parametrize("case", CASES)
def test_commands_are_as_recorded(case: str) -> None:
    text = "".join(f"{line}\n" for line in CASES[case]())
    file = FOLDER / f"{case}.nft"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text(), f"{file} differs: UPDATE_GOLDEN=1 writes it anew"


def test_no_golden_file_without_its_case() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == set(CASES)
