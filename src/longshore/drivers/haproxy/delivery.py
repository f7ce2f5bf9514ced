"""Puts access logs into their buckets, where somebody answers for S3: a minute after the five that a file is for.

The folder of the logs is the outbox: a file stays in it until its bucket has taken it, so that a crash loses none, and
one that is sent twice is the same object. Requests are signed with Longshore's own credentials, if it has any.
"""

import asyncio
import datetime as dt
import logging
import re
from collections.abc import Iterator
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
"""How long after its end a file may still get lines of requests that were under way."""
LOOK_S = 60.0
"""How often to look."""
_NAME = re.compile(
    r"(?P<bucket>[^/]+)/(?P<key>(?:.+/)?AWSLogs/(?P<account>\d{12})/elasticloadbalancing/(?P<region>[^/]+)/"
    r".+_(?P<ends>\d{8}T\d{4}Z)_[^/]+\.log\.gz)"
)


class Finished(NamedTuple):
    """A file that is whole."""

    path: Path
    bucket: str
    key: str
    account: str
    region: str


def finished(folder: Path, now: float) -> Iterator[Finished]:
    """The files that get no more lines, the oldest first."""
    for path in sorted(folder.rglob("*.log.gz"), key=lambda each: each.name):
        found = _NAME.fullmatch(path.relative_to(folder).as_posix())
        if found is None:
            continue
        ends = dt.datetime.strptime(found["ends"], "%Y%m%dT%H%MZ").replace(tzinfo=dt.UTC).timestamp()
        if ends + SETTLED_S <= now:
            yield Finished(path, found["bucket"], found["key"], found["account"], found["region"])


class Delivery:
    """Of one folder, to one provider."""

    def __init__(self, folder: Path, provider: Provider, clock: Clock) -> None:
        self._folder = folder
        self._provider = provider
        self._clock = clock
        self._told: dict[str, str] = {}
        """By bucket, what was said last of why it takes nothing."""

    async def deliver(self) -> None:
        """Send what is finished. What can't be sent stays for the next time."""
        for each in await asyncio.to_thread(lambda: list(finished(self._folder, self._clock.now()))):
            try:
                with each.path.open("rb") as body:
                    problem = await self._put(each, body)
            except (OSError, Retryable, Permanent) as error:
                problem = getattr(error, "reason", str(error))
            if problem:
                self._tell(each.bucket, problem)
                continue
            self._told.pop(each.bucket, None)
            await asyncio.to_thread(self._forget, each.path)

    async def _put(self, each: Finished, body: BinaryIO) -> str:
        """Send one; what its bucket has against it, or nothing."""
        size = each.path.stat().st_size
        path = f"/{quote(each.bucket)}/{quote(each.key)}"
        headers = await asyncio.to_thread(_signed, path, each.region, body, size)
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

    def _tell(self, bucket: str, problem: str) -> None:
        if self._told.get(bucket) != problem:
            self._told[bucket] = problem
            log.warning("access logs wait in %s: bucket %s can't take them: %s", self._folder, bucket, problem)

    def _forget(self, path: Path) -> None:
        """The file, and the folders that are empty without it."""
        path.unlink(missing_ok=True)
        for parent in path.parents:
            if parent == self._folder:
                break
            try:
                parent.rmdir()
            except OSError:
                break


def _signed(path: str, region: str, body: BinaryIO, size: int) -> list[tuple[str, str]]:
    """Headers of a PUT, signed if there are credentials."""
    headers = {"host": "localhost", "content-type": "application/gzip", "content-length": str(size)}
    credentials: Any = botocore.session.Session().get_credentials()
    if credentials is None:
        return list(headers.items())
    asked = AWSRequest(method="PUT", url=f"http://localhost{path}", headers=headers, data=body)
    S3SigV4Auth(credentials.get_frozen_credentials(), "s3", region).add_auth(asked)
    body.seek(0)
    return [(name.lower(), value) for name, value in asked.headers.items()]
