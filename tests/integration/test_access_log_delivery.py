"""Access logs on their way into buckets, with moto as S3: whole files alone, none lost where a bucket takes nothing."""

from __future__ import annotations

import asyncio
import fcntl
import gzip
import io
import itertools
import socket
from typing import TYPE_CHECKING

import pytest

from longshore.drivers.elsewhere.moto import Moto
from longshore.drivers.haproxy.access_log import WINDOW_S, AccessLogs, LogFolder
from longshore.drivers.haproxy.delivery import SETTLED_S, Delivery, finished
from longshore.drivers.haproxy.render.access import FIELDS
from longshore.drivers.ports import PassedAnswer, PassedRequest, Retryable
from tests.support.clock import HandClock
from tests.support.plans import balancer, forward, listener, plan, rule

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

ACCOUNT, REGION = "123456789012", "us-east-1"
ENDS = 1_764_374_700.0  # 2025-11-29 00:05 UTC
DAY_S = 86400.0
FOLDER = f"logs/app/AWSLogs/{ACCOUNT}/elasticloadbalancing/{REGION}/2025/11/29"
FILE = f"{FOLDER}/{ACCOUNT}_elasticloadbalancing_{REGION}_app.shop.0a_20251129T0005Z_10.0.0.5_0a1b2c3d.log.gz"


async def s3(moto: Moto, method: str, path: str) -> tuple[int, bytes]:
    """A request of a user's."""
    headers = [
        ("host", "localhost"),
        ("authorization", f"AWS4-HMAC-SHA256 Credential=any/20251129/{REGION}/s3/aws4_request"),
    ]
    answer = await moto.answer(PassedRequest("s3", "s3", ACCOUNT, REGION, method, path, "", headers, io.BytesIO(), 0))
    return answer.status, b"".join([piece async for piece in answer.body])


class Hooked(Moto):
    """moto, and what happens on a request's way there."""

    def __init__(self, on_the_way: Callable[[PassedRequest], None]) -> None:
        super().__init__()
        self._on_the_way = on_the_way
        self.asked: list[str] = []

    async def answer(self, request: PassedRequest) -> PassedAnswer:
        """What moto says, unless something comes between."""
        if request.method == "PUT" and "/AWSLogs/" in request.path:
            self.asked.append(request.path)
            self._on_the_way(request)
        return await super().answer(request)


async def hooked(on_the_way: Callable[[PassedRequest], None], *buckets: str) -> Hooked:
    made = Hooked(on_the_way)
    await made.open()
    made.reset()
    for bucket in buckets:
        await s3(made, "PUT", f"/{bucket}")
    return made


class Broken(Exception):  # noqa: N818
    """Says nothing."""


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")


@pytest.fixture
async def moto() -> Moto:
    made = Moto()
    await made.open()
    made.reset()
    return made


def write(folder: Path, name: str = FILE) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(b"a line\n"))
    return path


async def test_a_file_goes_into_its_bucket_once_it_gets_no_more_lines(tmp_path: Path, moto: Moto) -> None:
    clock = HandClock(ENDS + SETTLED_S - 1)
    delivery, path = Delivery(tmp_path, moto, clock), write(tmp_path)
    assert (await s3(moto, "PUT", "/logs"))[0] == 200
    await delivery.deliver()
    assert path.exists()

    clock.time += 1
    await delivery.deliver()
    status, body = await s3(moto, "GET", f"/{FILE}")
    assert (status, gzip.decompress(body)) == (200, b"a line\n")
    assert not path.exists()


async def test_a_file_waits_for_a_bucket_that_is_not_there_and_takes_no_other_with_it(
    tmp_path: Path, moto: Moto, caplog: pytest.LogCaptureFixture
) -> None:
    delivery, waits = Delivery(tmp_path, moto, HandClock(ENDS + SETTLED_S)), write(tmp_path)
    goes = write(tmp_path, FILE.replace("logs/", "others/", 1))
    await s3(moto, "PUT", "/others")
    await delivery.deliver()
    await delivery.deliver()
    assert (waits.exists(), goes.exists()) == (True, False)
    [told] = [record.getMessage() for record in caplog.records]
    assert told.endswith("bucket logs can't take them: moto (in memory) answered 404 NoSuchBucket")

    await s3(moto, "PUT", "/logs")
    await delivery.deliver()
    assert not waits.exists()


async def test_a_bucket_that_refuses_is_asked_once_in_a_round(tmp_path: Path) -> None:
    provider = await hooked(lambda _request: None)
    waits = [write(tmp_path), write(tmp_path, FILE.replace("0005Z", "0010Z"))]
    await Delivery(tmp_path, provider, HandClock(ENDS + DAY_S)).deliver()
    assert provider.asked == [f"/{FILE}"]
    assert all(path.exists() for path in waits)


async def test_a_file_that_grows_while_it_is_sent_stays_and_goes_again(tmp_path: Path) -> None:
    path, more = write(tmp_path), [gzip.compress(b"another\n")]

    def grow(_request: PassedRequest) -> None:
        if more:
            with path.open("ab") as out:
                out.write(more.pop())

    provider = await hooked(grow, "logs")
    delivery = Delivery(tmp_path, provider, HandClock(ENDS + SETTLED_S))
    await delivery.deliver()
    assert path.exists()
    await delivery.deliver()
    assert not path.exists()
    assert gzip.decompress((await s3(provider, "GET", f"/{FILE}"))[1]) == b"a line\nanother\n"


@pytest.mark.parametrize("error", [Broken(), OSError(), Retryable("")])
async def test_a_file_stays_after_an_error_without_a_text(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail(_request: PassedRequest) -> None:
        raise error

    path, provider = write(tmp_path), await hooked(fail, "logs")
    await Delivery(tmp_path, provider, HandClock(ENDS + SETTLED_S)).deliver()
    assert path.exists()
    [told] = [record.getMessage() for record in caplog.records]
    assert told.endswith(f": {type(error).__name__}")


async def test_an_answer_other_than_200_is_no_delivery(tmp_path: Path) -> None:
    class Accepts(Moto):
        async def answer(self, request: PassedRequest) -> PassedAnswer:
            return PassedAnswer(204, [], said(request.body.read()))

    async def said(text: bytes) -> AsyncIterator[bytes]:
        yield text

    path = write(tmp_path)
    await Delivery(tmp_path, Accepts(), HandClock(ENDS + SETTLED_S)).deliver()
    assert path.exists()


async def test_one_bad_file_takes_no_other_with_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fail(request: PassedRequest) -> None:
        if "0005Z" in request.path:
            raise Broken

    bad, folder = write(tmp_path), tmp_path / FILE.replace("0005Z", "0006Z")
    folder.mkdir()  # can't be read as a file
    good = write(tmp_path, FILE.replace("0005Z", "0010Z"))
    provider = await hooked(fail, "logs")
    delivery = Delivery(tmp_path, provider, HandClock(ENDS + DAY_S))
    await delivery.deliver()
    await delivery.deliver()
    assert (bad.exists(), good.exists()) == (True, False)
    told = [record.getMessage() for record in caplog.records]
    assert told[0] == f"access log {bad} waits: Broken"
    assert "Is a directory" in told[1]
    assert len(told) == 2  # not again in the second round


async def test_credentials_are_looked_for_once(tmp_path: Path, moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[None] = []
    monkeypatch.setattr("botocore.session.Session.get_credentials", lambda _session: looked.append(None))
    await s3(moto, "PUT", "/logs")
    delivery = Delivery(tmp_path, moto, HandClock(ENDS + DAY_S))
    await delivery.deliver()
    assert not looked
    for minute in ("0005", "0010"):
        write(tmp_path, FILE.replace("0005Z", f"{minute}Z"))
    await delivery.deliver()
    assert len(looked) == 1


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, f"{FOLDER}/notes.log.gz")
    write(tmp_path, FILE.replace("20251129T0005Z", "20251329T0005Z"))
    assert list(finished(tmp_path, ENDS * 2)) == []


def test_the_oldest_goes_first(tmp_path: Path) -> None:
    old = write(tmp_path, FILE.replace("shop", "zoo"))
    new = write(tmp_path, FILE.replace("0005Z", "0010Z"))
    assert [each.path for each in finished(tmp_path, ENDS + DAY_S)] == [old, new]


# ---------------------------------------------------------------------------------------------- names of the files


class Writer:
    """Access logs of one load balancer, and requests to it."""

    def __init__(self, folder: Path, clock: HandClock, numbers: itertools.count[int]) -> None:
        self._socket = folder / "s"
        self.logs = AccessLogs(self._socket, LogFolder(folder, clock, lambda: f"{next(numbers):08}"))
        self.logs.know(plan([balancer("10.0.0.5", listener(80, rule(forward("0a"))), access_log_bucket="logs")], []))

    async def write(self, *paths: str) -> None:
        """A line for each."""
        self.logs.open()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.connect(str(self._socket))
            for path in paths:
                numbers = {name: "0" for name in FIELDS if name.endswith("_ms")}
                values = dict.fromkeys(FIELDS, "-") | numbers | {"path": path, "total_ms": "600000"}
                told.send("\t".join(("e80", *values.values())).encode())
        await self.logs.close()


def lines(data: bytes) -> list[str]:
    """The paths in them."""
    return [line.split(" ")[13].rpartition("/")[2] for line in gzip.decompress(data).decode().splitlines()]


async def test_lines_of_one_window_are_in_one_file_by_when_they_come(tmp_path: Path) -> None:
    clock = HandClock(ENDS - 2)
    writer = Writer(tmp_path, clock, itertools.count())
    await writer.write("/a", "/b")
    clock.time += 1
    await writer.write("/c")
    clock.time += 1
    await writer.write("/d")
    clock.time += WINDOW_S + SETTLED_S
    found = finished(tmp_path, clock.time)
    assert [lines(each.path.read_bytes()) for each in found] == [["a", "b", "c"], ["d"]]
    assert [each.ends for each in found] == [ENDS, ENDS + WINDOW_S]


async def test_a_late_line_after_a_delivery_replaces_no_object(tmp_path: Path, moto: Moto) -> None:
    await s3(moto, "PUT", "/logs")
    clock = HandClock(ENDS - 2)
    writer, delivery = Writer(tmp_path, clock, itertools.count()), Delivery(tmp_path, moto, clock)
    keys = []
    for path in ("/first", "/late"):
        await writer.write(path)
        clock.time = ENDS + SETTLED_S
        keys += [each.key for each in finished(tmp_path, clock.time)]
        await delivery.deliver()
        clock.time = ENDS - 1  # the clock is set back into a window that was delivered
    assert len(set(keys)) == 2
    assert [lines((await s3(moto, "GET", f"/logs/{key}"))[1]) for key in keys] == [["first"], ["late"]]


async def test_a_line_that_waits_while_its_file_is_delivered_is_not_lost(tmp_path: Path) -> None:
    clock = HandClock(ENDS - 2)
    writer = Writer(tmp_path, clock, itertools.count())
    await writer.write("/delivered")
    [old] = finished(tmp_path, ENDS + SETTLED_S)
    with old.path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        waits = asyncio.create_task(writer.write("/waits"))
        await asyncio.sleep(0.1)
        old.path.unlink()
    await waits
    [new] = finished(tmp_path, ENDS + SETTLED_S)
    assert new.path != old.path
    assert lines(new.path.read_bytes()) == ["waits"]


async def test_another_life_uses_no_name_of_an_earlier(tmp_path: Path) -> None:
    clock, numbers = HandClock(ENDS - 2), itertools.count()
    for path in ("/one", "/two"):
        await Writer(tmp_path, clock, numbers).write(path)
    found = finished(tmp_path, ENDS + SETTLED_S)
    assert [lines(each.path.read_bytes()) for each in found] == [["one"], ["two"]]
