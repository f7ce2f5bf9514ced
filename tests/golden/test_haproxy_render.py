"""HAProxy configurations against golden files; UPDATE_GOLDEN=1 writes them anew: read the difference before committing.

HAProxy itself reads each of them too, with certificates that are some.
"""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from longshore.drivers.haproxy.render import render
from longshore.drivers.program import find
from tests.support.certificates import make, revoking
from tests.support.haproxy_cases import CASES, CERTIFICATE, LAYOUT, SETTINGS

FOLDER = Path(__file__).parent / "haproxy"


@pytest.mark.parametrize("case", CASES)
def test_configuration_is_as_recorded(case: str) -> None:
    rendered = render(CASES[case], LAYOUT, SETTINGS)
    maps = (f"# {name}\n{content}" for name, content in rendered.files.items() if name.endswith(".map"))
    text = "\n".join((rendered.text, *maps))
    file = FOLDER / f"{case}.cfg"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text(), f"{file} differs: UPDATE_GOLDEN=1 writes it anew"


@pytest.mark.haproxy
@pytest.mark.parametrize("case", CASES)
def test_haproxy_takes_it(case: str) -> None:
    authority = make("authority", ca=True)
    real = {CERTIFICATE.pem: authority.bundle, "BUNDLE\n": authority.pem.decode(), "CRL\n": revoking(authority)}
    with tempfile.TemporaryDirectory(prefix="ls-") as folder:
        rendered = render(CASES[case], LAYOUT, SETTINGS._replace(folder=folder))
        Path(folder, "certs").mkdir()
        for name, content in rendered.files.items():
            Path(folder, "certs", name).write_text(real.get(content, content))
        file = Path(folder, "haproxy.cfg")
        file.write_text(rendered.text)
        said = subprocess.run([find("haproxy") or "", "-c", "-f", file], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr


def test_no_golden_file_without_its_case() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == set(CASES)
