"""Access logs on their way into buckets, with moto as S3: whole files alone, none lost where a bucket takes nothing."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING

import pytest

from longshore.drivers.elsewhere.moto import Moto
from longshore.drivers.haproxy.delivery import SETTLED_S, Delivery, finished
from longshore.drivers.ports import PassedRequest
from tests.support.clock import HandClock

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT, REGION = "123456789012", "us-east-1"
ENDS = 1_764_374_700.0  # 2025-11-29 00:05 UTC
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


async def test_a_file_goes_into_its_bucket_once_it_gets_no_more_lines(
    tmp_path: Path, moto: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    clock = HandClock(ENDS + SETTLED_S - 1)
    delivery, path = Delivery(tmp_path, moto, clock), write(tmp_path)
    assert (await s3(moto, "PUT", "/logs"))[0] == 200
    await delivery.deliver()
    assert path.exists()

    clock.time += 1
    await delivery.deliver()
    status, body = await s3(moto, "GET", f"/{FILE}")
    assert (status, gzip.decompress(body)) == (200, b"a line\n")
    assert not (tmp_path / "logs").exists()


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


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, f"{FOLDER}/notes.log.gz")
    assert list(finished(tmp_path, ENDS * 2)) == []
