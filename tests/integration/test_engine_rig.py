"""The ground that Docker tests stand on: an image with no registry, networks whose addresses answer from the host."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.support import engine

pytestmark = pytest.mark.docker


@pytest.fixture
def http_api(docker_url: str) -> Iterator[httpx.Client]:
    with engine.client(docker_url) as client:
        yield client


def _create(http_api: httpx.Client, path: str, body: dict[str, object]) -> str:
    answer = http_api.post(path, json=body)
    assert answer.is_success, answer.text
    return str(answer.json()["Id"])


def test_container_answers_the_host_and_its_neighbour_at_its_own_address(
    http_api: httpx.Client,
    docker_url: str,
    busybox_image: str,
    docker_instance: str,
    free_cidr: Callable[[int], str],
) -> None:
    cidr = free_cidr(28)
    address = str(engine.host_of(cidr, 5))
    labels = {"longshore.instance": docker_instance}
    try:
        ipam = {"Config": [{"Subnet": cidr}]}
        _create(http_api, "/networks/create", {"Name": docker_instance, "IPAM": ipam, "Labels": labels})
        server = _create(
            http_api,
            "/containers/create",
            {
                "Image": busybox_image,
                "Labels": labels,
                "Cmd": ["sh", "-c", "echo hello >/www/index.html; exec httpd -f -p 80 -h /www"],
                "HostConfig": {"NetworkMode": docker_instance},
                "NetworkingConfig": {"EndpointsConfig": {docker_instance: {"IPAMConfig": {"IPv4Address": address}}}},
            },
        )
        assert http_api.post(f"/containers/{server}/start").is_success
        assert engine.wait_http(f"http://{address}/") == "hello\n"

        neighbour = _create(
            http_api,
            "/containers/create",
            {
                "Image": busybox_image,
                "Labels": labels,
                "User": "app",
                "Cmd": ["sh", "-c", f"http-get {address} 80 && wget -q -O - http://{address}/"],
                "HostConfig": {"NetworkMode": docker_instance},
            },
        )
        assert http_api.post(f"/containers/{neighbour}/start").is_success
        assert http_api.post(f"/containers/{neighbour}/wait").json()["StatusCode"] == 0
        logs = http_api.get(f"/containers/{neighbour}/logs", params={"stdout": "1"}).content
        assert logs.count(b"hello") == 2
    finally:
        mine = {t for t in engine.labelled(docker_url, "longshore.instance") if t.instance == docker_instance}
        engine.remove(docker_url, frozenset(mine))


def test_what_a_test_leaves_behind_is_found_by_its_label(
    http_api: httpx.Client, docker_url: str, busybox_image: str, docker_instance: str
) -> None:
    labels = {"longshore.instance": docker_instance}
    _create(http_api, "/containers/create", {"Image": busybox_image, "Labels": labels})

    found = {t for t in engine.labelled(docker_url, "longshore.instance") if t.instance == docker_instance}
    assert [t.kind for t in found] == ["containers"]

    engine.remove(docker_url, frozenset(found))
    assert not {t for t in engine.labelled(docker_url, "longshore.instance") if t.instance == docker_instance}
    assert engine.why_unavailable(docker_url) is None
    assert "make test" in str(engine.why_unavailable("unix:///nowhere/docker.sock"))
