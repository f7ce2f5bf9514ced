"""The import rules name every driver: a new one can't be forgotten."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
DRIVERS = ROOT / "src" / "longshore" / "drivers"


def test_neither_api_nor_control_may_import_any_driver() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    drivers = {f"longshore.drivers.{init.parent.name}" for init in DRIVERS.glob("*/__init__.py")}
    assert "longshore.drivers.docker" in drivers
    for room in ("longshore.api", "longshore.control"):
        forbidden = {
            module
            for contract in contracts
            if contract.get("source_modules") == [room]
            for module in contract["forbidden_modules"]
        }
        assert drivers - forbidden == set(), room
