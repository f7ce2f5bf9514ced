"""What Docker calls this Longshore's registry, and whether it finds it at loopback."""

import pytest

from longshore.config import default_registry_host, needs_loopback


@pytest.mark.parametrize(
    ("listen", "host", "needs"),
    [
        ("127.0.0.1", "localhost:4566", False),
        ("localhost", "localhost:4566", False),
        ("0.0.0.0", "localhost:4566", False),  # noqa: S104  asked for by users
        ("::", "localhost:4566", False),
        ("::1", "localhost:4566", False),
        ("127.0.0.9", "127.0.0.9:4566", False),
        ("10.0.0.5", "localhost:4566", True),
        ("fd00::5", "localhost:4566", True),
    ],
)
def test_docker_needs_a_host_on_loopback(listen: str, host: str, needs: bool) -> None:
    assert default_registry_host(listen, 4566) == host
    assert needs_loopback(listen) is needs
