"""HAProxy configurations against golden files; UPDATE_GOLDEN=1 writes them anew: read the difference before committing.

HAProxy itself reads each of them in tests/integration/test_haproxy_config.py.
"""

import os
from pathlib import Path

import pytest

from longshore.drivers.haproxy.render import render
from tests.support.haproxy_cases import CASES, LAYOUT, SETTINGS

FOLDER = Path(__file__).parent / "haproxy"


@pytest.mark.parametrize("case", CASES)
def test_configuration_is_as_recorded(case: str) -> None:
    text = render(CASES[case], LAYOUT, SETTINGS).text
    file = FOLDER / f"{case}.cfg"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text(), f"{file} differs: UPDATE_GOLDEN=1 writes it anew"


def test_no_golden_file_without_its_case() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == set(CASES)
