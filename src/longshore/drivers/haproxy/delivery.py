"""Puts access logs into their buckets, where S3 is forwarded: a minute after the five that a file is for.

The folder of the logs is the outbox: a file stays in it until its bucket has taken all of it, so that a crash loses
none. One that is sent again is the same object, with the lines that came meanwhile; `access_log.py`, which writes the
files, sees to it that no two have one name. Requests are signed with Longshore's own credentials, if it has any.
"""

import asyncio
import datetime as dt
import fcntl
import logging
import os
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote

import botocore.session
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest

from longshore.domain.clock import Clock
from longshore.drivers.ports import PassedRequest, Permanent, Provider, Retryable

log = logging.getLogger(__name__)

SETTLED_S = 60.0
"""How long after its end a file may still get lines that wait to be written."""
LOOK_S = 60.0
"""How often to look."""
_NAME = re.compile(
    r"(?P<bucket>[^/]+)/(?P<key>(?:.+/)?AWSLogs/(?P<account>\d{12})/elasticloadbalancing/(?P<region>[^/]+)/"
    r".+_(?P<ends>\d{8}T\d{4}Z)_[^/]+\.log\.gz)"
)


class Finished(NamedTuple):
    """A file that is whole."""

    ends: float
    path: Path
    bucket: str
    key: str
    account: str
    region: str


def finished(folder: Path, now: float) -> list[Finished]:
    """The files that get no more lines, the oldest first."""
    found = []
    for path in folder.rglob("*.log.gz"):
        name = _NAME.fullmatch(path.relative_to(folder).as_posix())
        ends = _time(name["ends"]) if name else None
        if name and ends is not None and ends + SETTLED_S <= now:
            found.append(Finished(ends, path, name["bucket"], name["key"], name["account"], name["region"]))
    return sorted(found)


def _time(stamp: str) -> float | None:
    try:
        return dt.datetime.strptime(stamp, "%Y%m%dT%H%MZ").replace(tzinfo=dt.UTC).timestamp()
    except ValueError:
        return None


class Delivery:
    """Of one folder, to one provider."""

    def __init__(self, folder: Path, provider: Provider, clock: Clock) -> None:
        self._folder = folder
        self._provider = provider
        self._clock = clock
        self._credentials = Credentials()
        self._told: dict[str, str] = {}
        """By bucket and by file, what was said last of why it waits."""

    async def deliver(self) -> None:
        """Send what is finished. What can't be sent stays for the next time."""
        refused: set[tuple[str, ...]] = set()  # asked once in a round, and not for each of a day's files
        for each in await asyncio.to_thread(finished, self._folder, self._clock.now()):
            place = (each.bucket, each.key.partition("AWSLogs/")[0], each.account)
            if place in refused:
                continue
            try:
                refusal = await self._send(each)
            except (Retryable, Permanent) as error:
                refusal = error.reason or type(error).__name__
            except Exception as error:  # noqa: BLE001  whatever is wrong with one file holds up no other
                self._tell(str(each.path), f"access log {each.path} waits: {str(error) or type(error).__name__}")
                continue
            self._told.pop(str(each.path), None)
            if refusal:
                refused.add(place)
                text = f"access logs wait in {self._folder}: bucket {each.bucket} can't take them: {refusal}"
                self._tell(each.bucket, text)
            else:
                self._told.pop(each.bucket, None)

    async def _send(self, each: Finished) -> str:
        """Send one, and forget it if it was taken; what its bucket has against it, or nothing if it answered 200."""
        with each.path.open("rb") as body:
            size = os.fstat(body.fileno()).st_size
            refusal = await self._put(each, body, size)
            if not refusal:
                await asyncio.to_thread(_forget, each.path, body, size)
        return refusal

    async def _put(self, each: Finished, body: BinaryIO, size: int) -> str:
        path = f"/{quote(each.bucket)}/{quote(each.key)}"
        headers = await asyncio.to_thread(self._credentials.signed, path, each.region, body, size)
        request = PassedRequest(
            service="s3",
            signing_name="s3",
            account=each.account,
            region=each.region,
            method="PUT",
            path=path,
            query="",
            headers=headers,
            body=body,
            size=size,
        )
        answer = await self._provider.answer(request)
        text = b"".join([piece async for piece in answer.body])
        if answer.status == HTTPStatus.OK:
            return ""
        code = re.search(rb"<Code>(\w{1,64})</Code>", text)
        return f"{self._provider.name} answered {answer.status}" + (f" {code[1].decode()}" if code else "")

    def _tell(self, about: str, problem: str) -> None:
        if self._told.get(about) != problem:
            self._told[about] = problem
            log.warning("%s", problem)


def _forget(path: Path, body: BinaryIO, sent: int) -> None:
    """A file that was sent, unless it has grown: then it goes again. Its lock keeps lines out that would be lost."""
    fcntl.flock(body, fcntl.LOCK_SH)
    if os.fstat(body.fileno()).st_size == sent:
        path.unlink(missing_ok=True)


class Credentials:
    """Longshore's own for S3, looked for once, when they are first needed. Used in threads."""

    def __init__(self) -> None:
        self._found: Any = None
        self._looked = False

    def signed(self, path: str, region: str, body: BinaryIO, size: int) -> list[tuple[str, str]]:
        """Headers of a PUT, signed if there are credentials. Raises what botocore does where they can't be had."""
        if not self._looked:
            self._found = botocore.session.Session().get_credentials()
            self._looked = True
        headers = {"host": "localhost", "content-type": "application/gzip", "content-length": str(size)}
        if self._found is None:
            return list(headers.items())
        asked = AWSRequest(method="PUT", url=f"http://localhost{path}", headers=headers, data=body)
        S3SigV4Auth(self._found.get_frozen_credentials(), "s3", region).add_auth(asked)
        body.seek(0)
        return [(name.lower(), value) for name, value in asked.headers.items()]
