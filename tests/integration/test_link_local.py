"""The address 169.254.170.2 of a host, in a network of the test's own: others are in use."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.nft

HOST = """
import asyncio, socket, subprocess
from longshore.drivers.docker.linklocal import ensure_address

def run(*words):
    subprocess.run(words, check=True)

run("ip", "link", "set", "lo", "up")
for device, address in (("lan", "192.0.2.2/24"), ("vpc", "172.31.0.1/16")):
    run("ip", "link", "add", device, "type", "bridge")
    run("ip", "addr", "add", address, "dev", device)
    run("ip", "link", "set", device, "up")
run("ip", "addr", "add", "172.31.0.9/32", "dev", "vpc")
asyncio.run(ensure_address())
asyncio.run(ensure_address())
run("nft", "add table ip docker; add chain ip docker out { type nat hook postrouting priority srcnat; }")
run("nft", 'add rule ip docker out ip saddr 172.31.0.0/16 oifname != "vpc" masquerade')
for address in ("172.31.0.9", "169.254.170.2"):
    with socket.create_server((address, 9000)) as server, socket.create_connection((address, 9000)):
        print(server.accept()[1][0])
"""
"""Docker hides a network's addresses from all devices but its bridge, so from `lo` as well: there the address that
stands for them is chosen among the host's own."""


def test_a_client_on_the_host_is_seen_at_the_hosts_address_and_not_at_that_of_metadata() -> None:
    said = subprocess.run(["unshare", "--net", sys.executable, "-c", HOST], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert said.stdout.split() == ["192.0.2.2", "169.254.170.2"]
