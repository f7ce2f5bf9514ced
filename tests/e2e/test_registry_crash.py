"""Longshore is killed while images are pushed: whatever was acknowledged is there afterwards, whole, under its tags."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.docker_cli import registries
from tests.support.server import Server, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.registry

KILLS = 4
PUSHERS = 4
BASE = "/v2/app"
KIND = "application/vnd.docker.distribution.manifest.v2+json"
OCTETS = {"content-type": "application/octet-stream"}


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Pusher(threading.Thread):
    """Pushes one image after the other until told to stop, whatever happens, and remembers what was acknowledged."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__(daemon=True)
        self.acknowledged: dict[str, bytes] = {}
        """Manifests by tag."""
        self.stopping = threading.Event()
        self.ended = False
        self._url = url
        self._name = name

    def run(self) -> None:
        for number in self._numbers():
            try:
                self._push(number)
            except httpx.TransportError:
                time.sleep(0.05)
        self.ended = True

    def _numbers(self) -> Iterator[int]:
        number = 0
        while not self.stopping.is_set():
            yield number
            number += 1

    def _push(self, number: int) -> None:
        with httpx.Client(base_url=self._url, timeout=20, trust_env=False) as http:
            layers = [f"{self._name} {number} {part}".encode() * 500 for part in range(3)]
            if not all(self._blob(http, layer) for layer in layers):
                return
            entries = [{"mediaType": "l", "size": len(layer), "digest": digest(layer)} for layer in layers]
            document = {"schemaVersion": 2, "mediaType": KIND, "config": entries[0], "layers": entries[1:]}
            manifest, tag = json.dumps(document).encode(), f"{self._name}-{number}"
            answer = http.put(f"{BASE}/manifests/{tag}", content=manifest, headers={"content-type": KIND})
            if answer.status_code == 201:
                self.acknowledged[tag] = manifest

    def _blob(self, http: httpx.Client, content: bytes) -> bool:
        begun = http.post(f"{BASE}/blobs/uploads/")
        if begun.status_code != 202:
            return False
        where = f"{begun.headers['location']}&digest={digest(content)}"
        return http.put(where, content=content, headers=OCTETS).status_code == 201


def more_than(before: int, pushers: list[Pusher]) -> bool:
    return sum(len(each.acknowledged) for each in pushers) > before


def test_no_acknowledged_push_is_lost_by_kills(simulated: Server) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    ecr = simulated.client("ecr")
    ecr.create_repository(repositoryName="app")
    pushers = [Pusher(simulated.url, f"p{number}") for number in range(PUSHERS)]
    for pusher in pushers:
        pusher.start()
    for _ in range(KILLS):
        until(partial(more_than, sum(len(each.acknowledged) for each in pushers), pushers), "a push")
        time.sleep(chance.random())
        simulated.restart(kill=True)
    for pusher in pushers:
        pusher.stopping.set()
    for pusher in pushers:
        pusher.join(60)
        assert pusher.ended
    acknowledged = {tag: text for pusher in pushers for tag, text in pusher.acknowledged.items()}
    with httpx.Client(base_url=simulated.url, timeout=20, trust_env=False) as http:
        for tag, manifest in acknowledged.items():
            assert http.get(f"{BASE}/manifests/{tag}").content == manifest, f"{tag} (seed {seed})"
            for entry in json.loads(manifest)["layers"]:
                content = http.get(f"{BASE}/blobs/{entry['digest']}").content
                assert digest(content) == entry["digest"], f"a layer of {tag} (seed {seed})"
    pages: list[Any] = list(ecr.get_paginator("list_images").paginate(repositoryName="app"))
    tags = {each.get("imageTag") for page in pages for each in page["imageIds"]}
    assert set(acknowledged) <= tags
    assert len(registries(simulated)) == 1


def test_a_reset_empties_repositories_and_their_names_stay(simulated: Server) -> None:
    ecr = simulated.client("ecr")
    ecr.create_repository(repositoryName="app")
    httpx.post(f"{simulated.url}/_longshore/reset", trust_env=False).raise_for_status()
    assert ecr.describe_repositories()["repositories"] == []
    made = ecr.create_repository(repositoryName="app")["repository"]
    assert made["repositoryUri"].startswith(f"{simulated.registry_host}/")
