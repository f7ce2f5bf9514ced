"""Fixtures for tests with a real Docker Engine, and the rules that hold for them.

A test marked `docker` is skipped, with the reason, where no Engine answers; with --require-docker or
LONGSHORE_REQUIRE_DOCKER=1 (`make test` and CI) it fails instead. It must leave nothing behind: what carries its own
instance's label afterwards is removed, and the test fails. A test marked `haproxy` is skipped where the program is
missing, and fails there when CI is set; so is one marked `nft`.
"""

from __future__ import annotations

import functools
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from longshore.drivers.program import find
from longshore.drivers.registry.process import PROGRAM
from tests.support import engine, images, nft_rig

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
INSTANCE_LABEL = "longshore.instance"

# How long an example takes says more of the machine than of the code: no test is timed, and none fails for being slow.
hypothesis.settings.register_profile(
    "longshore", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("longshore")

_reason = pytest.StashKey[str | None]()
_leftovers = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-docker",
        action="store_true",
        default=os.environ.get("LONGSHORE_REQUIRE_DOCKER") == "1",
        help="fail docker tests, instead of skipping them, when no Docker Engine answers",
    )


class OneEngine(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Files of docker tests go to two processes, one after another; every other test to whoever is free.

    There is one Engine, one host network, one 169.254.170.2: more at a time would be in each other's way. By file,
    because the process that distributes tests knows their names alone; a file says in its text that its tests are
    marked. (xdist's own groups don't survive pytest 9.2.)
    """

    def _split_scope(self, nodeid: str) -> str:
        place = _docker_files().get(nodeid.partition("::")[0])
        return nodeid if place is None else f"docker {place % 2}"


@functools.cache
def _docker_files() -> dict[str, int]:
    """The files of docker tests, numbered."""
    files = sorted(path for path in (ROOT / "tests").rglob("test_*.py") if "pytest.mark.docker" in path.read_text())
    return {str(path.relative_to(ROOT)): place for place, path in enumerate(files)}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneEngine:
    return OneEngine(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("haproxy") and find("haproxy") is None:
        if os.environ.get("CI"):
            pytest.fail("haproxy is not installed", pytrace=False)
        pytest.skip("haproxy is not installed")
    if item.get_closest_marker("registry") and shutil.which(PROGRAM) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{PROGRAM} is not installed", pytrace=False)
        pytest.skip(f"{PROGRAM} is not installed")
    if item.get_closest_marker("nft") and (lacks := nft_rig.why_unavailable()):
        if os.environ.get("CI"):
            pytest.fail(lacks, pytrace=False)
        pytest.skip(lacks)
    if not item.get_closest_marker("docker"):
        return
    stash = item.config.stash
    if _reason not in stash:
        stash[_reason] = engine.why_unavailable(engine.docker_url())
    reason = stash[_reason]
    if reason and item.config.getoption("--require-docker"):
        pytest.fail(reason, pytrace=False)
    elif reason:
        pytest.skip(reason)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A private Engine has no other user: whatever is labelled at the end was left by some test or server here."""
    is_worker = hasattr(session.config, "workerinput")
    if (
        is_worker
        or os.environ.get("DOCKER_ENGINE_OF_TESTS") != "private"
        or engine.why_unavailable(engine.docker_url())
    ):
        return
    found = engine.labelled(engine.docker_url(), INSTANCE_LABEL)
    if found:
        session.config.stash[_leftovers] = _names(found)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name in config.stash.get(_leftovers, []):
        terminalreporter.write_line(f"ERROR left behind in the Docker Engine by this run: {name}", red=True)


@pytest.fixture(scope="session")
def docker_url() -> str:
    """Where the Engine is, in $DOCKER_HOST's form, such as unix:///var/run/docker.sock."""
    return engine.docker_url()


@pytest.fixture(scope="session")
def busybox_image(docker_url: str) -> str:
    """The name of a small image that is present in the Engine (see tests/support/images.py for what is in it)."""
    return images.busybox_image(docker_url)


@pytest.fixture
def own_instances() -> set[str]:
    """Values of the label longshore.instance that this test answers for; a test that starts a server adds its id."""
    return set()


@pytest.fixture
def docker_instance(own_instances: set[str]) -> str:
    """A fresh value of the label longshore.instance, for the driver under test."""
    instance = f"test-{secrets.token_hex(4)}"
    own_instances.add(instance)
    return instance


@pytest.fixture(autouse=True)
def _nothing_left_behind(request: pytest.FixtureRequest, own_instances: set[str]) -> Iterator[None]:
    yield
    if not own_instances or not request.node.get_closest_marker("docker"):
        return
    url = engine.docker_url()
    found = frozenset(thing for thing in engine.labelled(url, INSTANCE_LABEL) if thing.instance in own_instances)
    if found:
        engine.remove(url, found)
        pytest.fail(f"The test left these behind in the Docker Engine: {', '.join(_names(found))}", pytrace=False)


def _names(things: frozenset[engine.Leftover]) -> list[str]:
    return sorted(f"{thing.kind.removesuffix('s')} {thing.name} (instance {thing.instance})" for thing in things)
