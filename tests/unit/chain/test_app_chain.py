"""The chain without a socket: a store that fails, bodies that come in pieces, late or never."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from longshore.api import app
from longshore.api.access.access import Access
from longshore.api.access.keys import UserKeys
from longshore.api.app import MAX_BODY_BYTES, Chain, aws_app, read_body
from longshore.api.callers.auth import Gate, Listener
from longshore.api.callers.credentials import Credentials
from longshore.api.internal import internal_paths
from longshore.api.metrics.page import Metrics
from longshore.api.services import SERVICES
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.kinds import KINDS
from longshore.domain.log import LogEvent
from longshore.domain.record import Scope
from longshore.store.errors import StoreFailed
from longshore.store.events import EventLog
from longshore.store.journal import MemoryJournal, Row
from longshore.store.store import Store, Transaction
from longshore.system import SystemClock, SystemIds
from longshore.vault import MasterVault
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest, HttpResponse

ACCOUNT = "123456789012"
VAULT = MasterVault(b"m" * 32)
TRUSTING = Listener("test", signatures=False)


class FullDisk(MemoryJournal):
    """A journal that takes commits, and can write none once the disk is full."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False

    def append(self, revision: int, rows: Sequence[Row]) -> None:
        if not self.full:
            super().append(revision, rows)

    async def durable(self, revision: int) -> None:  # noqa: ARG002  none will be
        self.failed = StoreFailed("No space left on device.")
        raise self.failed


class House:
    """A chain on a store."""

    def __init__(self, journal: MemoryJournal, events: EventLog | None = None) -> None:
        self.store = Store(KINDS, journal)
        self.prepared: list[Scope] = []
        metrics = Metrics(self.store)
        credentials = Credentials(b"m" * 32, ACCOUNT)
        self.chain = Chain(
            store=self.store,
            events=events or EventLog(),
            services=SERVICES,
            gate=Gate(credentials, UserKeys(self.store, VAULT), ACCOUNT, "us-east-1"),
            access=Access(credentials),
            clock=SystemClock(),
            ids=SystemIds(),
            vault=VAULT,
            metrics=metrics,
            prepare=self._prepare,
        )
        self.internal = internal_paths(store=self.store, metrics=metrics, engine="sim", listener=TRUSTING, reset=None)

    async def ask(self, operation: str, **params: Any) -> tuple[int, dict[str, Any]]:
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"AmazonEC2ContainerServiceV20141113.{operation}",
        }
        request = HttpRequest("POST", "/", "", headers, json.dumps(params).encode())
        answer = await self.chain.answer(request, TRUSTING)
        return answer.status, json.loads(answer.body)

    def health(self) -> HttpResponse:
        answer = self.internal(HttpRequest("GET", "/_longshore/health", "", {}, b""))
        assert answer is not None
        return answer

    def _prepare(self, _tx: Transaction, scope: Scope) -> None:
        self.prepared.append(scope)


async def test_full_disk_answers_writes_with_503_keeps_nothing_and_goes_on_to_answer_reads() -> None:
    journal = FullDisk()
    house = House(journal)
    assert (await house.ask("CreateCluster", clusterName="before"))[0] == 200
    journal.full = True
    status, answer = await house.ask("CreateCluster", clusterName="after")
    assert (status, answer["__type"]) == (503, "ServiceUnavailable")
    assert "No space left" in answer["message"]
    assert [cluster.name for cluster in house.store.all(Cluster)] == ["before"]
    status, answer = await house.ask("ListClusters")
    assert (status, [arn.rpartition("/")[2] for arn in answer["clusterArns"]]) == (200, ["before"])
    assert (await house.ask("CreateCluster", clusterName="later"))[0] == 503
    assert house.health().status == 503
    assert b"No space left" in house.health().body


async def test_event_log_that_cannot_be_written_is_no_matter_of_other_services(tmp_path: Path) -> None:
    events = EventLog(tmp_path / "events.db")
    assert events._file is not None
    events._file._connection.execute("PRAGMA max_page_count = 5")
    events.append("s", [LogEvent(1, "x" * 100_000)], 1)
    with pytest.raises(StoreFailed):
        await events.durable()
    house = House(MemoryJournal(), events)
    assert (await house.ask("CreateCluster", clusterName="c"))[0] == 200
    assert events.failed is not None
    await events.close()


async def test_members_that_the_model_lacks_are_ignored_with_a_line_in_the_log() -> None:
    house = House(MemoryJournal())
    with capture_logs() as lines:
        status, _ = await house.ask("CreateCluster", clusterName="c", tags=[{"key": "a", "secret": "x"}], novel=1)
        assert status == 200
    [told] = [line for line in lines if line["log_level"] == "warning"]
    assert (told["operation"], told["members"]) == ("CreateCluster", ["tags.1.secret", "novel"])
    with capture_logs() as lines:
        await house.ask("ListClusters")
    assert [line["log_level"] for line in lines] == ["info"]


async def test_scope_is_prepared_until_a_request_of_it_succeeds() -> None:
    house = House(MemoryJournal())
    assert (await house.ask("ListTasks", cluster="nowhere"))[0] == 400
    assert (await house.ask("ListClusters"))[0] == 200
    assert (await house.ask("ListClusters"))[0] == 200
    assert len(house.prepared) == 2
    house.chain.forget()
    assert (await house.ask("ListClusters"))[0] == 200
    assert len(house.prepared) == 3


class Client:
    """What an ASGI server hands on: messages, and then silence."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self._messages = list(messages)
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        if self._messages:
            return self._messages.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


def part(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


GONE = {"type": "http.disconnect"}


async def test_body_in_pieces_is_put_together() -> None:
    assert await read_body(Client(part(b"a", more=True), part(b"", more=True), part(b"b", more=False)).receive) == b"ab"


async def test_body_above_the_cap_is_refused_before_it_ends() -> None:
    piece = part(b"x" * (MAX_BODY_BYTES // 2), more=True)
    with pytest.raises(ApiError, match="larger than"):
        await read_body(Client(piece, piece, part(b"x", more=True)).receive)


async def test_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "BODY_TIMEOUT_S", 0.0)
    with pytest.raises(ApiError, match="RequestTimeout") as caught:
        await read_body(Client(part(b"x", more=True)).receive)
    assert caught.value.status == 408


@pytest.mark.parametrize("messages", [[GONE], [part(b"{}", more=True), GONE]], ids=["before", "within"])
async def test_client_that_leaves_is_not_served(messages: list[dict[str, Any]]) -> None:
    house = House(MemoryJournal())
    client = Client(*messages)
    scope = {"type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}
    await aws_app(house.chain, TRUSTING, house.internal)(scope, client.receive, client.send)
    assert client.sent == []
