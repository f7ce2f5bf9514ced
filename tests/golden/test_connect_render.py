"""Service Connect's proxies against golden files; UPDATE_GOLDEN=1 writes them anew: read the difference first.

HAProxy reads each configuration too, where there is one.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from longshore.domain.log import LogTarget
from longshore.domain.names.connect import ConnectIngress, ConnectPlan, ConnectRoute, Endpoint, ProxyLog
from longshore.drivers.connect.render import hosts, render, rules

FOLDER = Path(__file__).parent / "connect"
WEB = ConnectRoute(
    dns_name="web.shop",
    port=80,
    address="127.255.3.1",
    listen_port=61001,
    discovery_name="web",
    protocol="http",
    idle_timeout_s=300,
    request_timeout_s=15,
)
RPC = ConnectRoute(
    dns_name="rpc",
    port=9000,
    address="127.255.3.2",
    listen_port=61002,
    discovery_name="rpc",
    protocol="grpc",
    idle_timeout_s=0,
    request_timeout_s=0,
)
CACHE = ConnectRoute(dns_name="cache", port=6379, address="127.255.3.3", listen_port=61003, discovery_name="cache")
LAYOUT = {61001: (Endpoint("10.0.0.5", 8080), None), 61002: (None,), 61003: (Endpoint("10.0.0.6", 6379), None)}
TARGET = LogTarget(group="g", stream="p/ecs-service-connect/t", region="us-east-1")
CASES = {
    "nothing": ConnectPlan(),
    "client": ConnectPlan(routes=(WEB, RPC, CACHE)),
    "logged": ConnectPlan(routes=(WEB, CACHE), log=ProxyLog(account="1", target=TARGET, requests="TEXT")),
    "server": ConnectPlan(ingresses=(ConnectIngress(port=9000, container_port=8080, protocol="http"),)),
}


def _compare(name: str, text: str) -> Path:
    file = FOLDER / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text(), f"{file} differs: UPDATE_GOLDEN=1 writes it anew"
    return file


@pytest.mark.parametrize("case", CASES)
def test_configuration_is_as_recorded_and_haproxy_takes_it(case: str) -> None:
    file = _compare(f"{case}.cfg", render(CASES[case], LAYOUT, "/run/p/log.sock"))
    haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if haproxy is not None:
        said = subprocess.run([haproxy, "-c", "-f", str(file)], capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr


@pytest.mark.parametrize("first", [True, False])
def test_rules_are_as_recorded(first: bool) -> None:
    _compare("first.rules" if first else "later.rules", rules(CASES["client"], first=first))


def test_names_in_a_hosts_file_take_the_place_of_those_before() -> None:
    own = "127.0.0.1\tlocalhost\n10.0.0.9\tother\n"
    first = hosts(own, ConnectPlan(routes=(CACHE, CACHE)))
    assert first == f"{own}127.255.3.3\tcache\t# longshore: Service Connect\n"
    assert hosts(first, ConnectPlan(routes=(WEB,))) == f"{own}127.255.3.1\tweb.shop\t# longshore: Service Connect\n"


def test_no_golden_file_without_its_case() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {f"{case}.cfg" for case in CASES} | {
        "first.rules",
        "later.rules",
    }
