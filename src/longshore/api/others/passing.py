"""Hands requests on, bodies of any size in both directions: signature, then body, then who answers for the service.

`app.py` comes here with a request whose head names a service of others (`routes.py`). The head's signature is
checked before the body is received where the head has a hash of the body, as an object store's always does.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from longshore.api.callers.auth import Caller, Gate, Listener
from longshore.api.http.spool import Spool
from longshore.api.others.routes import OtherServices, signs_objects
from longshore.domain.clock import Clock, Ids
from longshore.drivers.ports import PassedAnswer
from longshore.wire.aws_chunked import SIGNED, is_chunked, unpack
from longshore.wire.catalog import Catalog
from longshore.wire.credential import scope_of
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest, HttpResponse
from longshore.wire.models import Card

log = structlog.get_logger("longshore.request")

UNSIGNED = "UNSIGNED-PAYLOAD"
Headers = Sequence[tuple[str, str]]
Tell = Callable[[str, Caller | None, str, int, str, float], None]
"""`(service, caller, code, status, request id, seconds)` of a request that was answered."""
Authorise = Callable[[Card, HttpRequest, Caller], None]
"""Raises the refusal where a caller's policies don't allow a request."""


class Passage:
    """The way of a request that somebody else answers."""

    def __init__(
        self,
        others: OtherServices,
        gate: Gate,
        catalog: Catalog,
        clock: Clock,
        ids: Ids,
        tell: Tell,
        authorise: Authorise,
    ) -> None:
        self.others = others
        self._gate = gate
        self._catalog = catalog
        self._clock = clock
        self._ids = ids
        self._tell = tell
        self._authorise = authorise

    async def __call__(
        self, card: Card, head: HttpRequest, headers: Headers, listener: Listener, receive: Any, send: Any
    ) -> None:
        """Answer a request of which only the head was read. Raises nothing but what ends the connection."""
        began, request_id = time.perf_counter(), self._ids.uuid()
        caller: Caller | None = None
        spool: Spool | None = None
        code, status = "OK", 0
        try:
            if _is_stated(card, head):
                caller = self._caller(card, head, listener, _stated(head))
            early = caller is not None and signs_objects(card.signing_name)
            if caller is not None and early:
                self._authorise(card, head, caller)
            spool = await self.others.receive_body(receive, card)
            if caller is None:
                caller = self._caller(card, head, listener, spool.sha256)
            if listener.signatures:
                await self._check_body(head, spool)
            if not early:
                await self._authorise_whole(card, head, caller, spool)
            answer = await self.others.answer(card, head, headers, caller, spool)
            status = answer.status
            await send_answer(send, answer)
        except ConnectionError:
            code = "ClientLeft"
        except ApiError as error:
            code, status = error.code, await self._refuse(send, card, head, error, request_id, whole=spool is not None)
        except Exception:
            if status:  # the answer has begun: what is left is to cut it off
                raise
            code = "InternalFailure"
            log.exception("a fault while handing on", request_id=request_id, service=card.service)
            fault = ApiError(code, f"A fault inside Longshore: its log has the details under {request_id}.", status=500)
            status = await self._refuse(send, card, head, fault, request_id, whole=spool is not None)
        finally:
            if spool is not None:
                spool.file.close()
            self._tell(card.service, caller, code, status, request_id, time.perf_counter() - began)

    def _caller(self, card: Card, head: HttpRequest, listener: Listener, payload: str) -> Caller:
        protocol = self._catalog.guess_protocol(head, card)
        plain_path = signs_objects(card.signing_name)
        now = self._clock.now()
        return self._gate.caller(head, scope_of(head), listener, protocol, now, plain_path=plain_path, payload=payload)

    async def _authorise_whole(self, card: Card, head: HttpRequest, caller: Caller, spool: Spool) -> None:
        """Raise where the caller's policies don't allow a request, which its body says too, but for objects."""
        body = b""
        if not signs_objects(card.signing_name) and caller.principal.source:
            body = await asyncio.to_thread(spool.file.read)
            spool.file.seek(0)
        self._authorise(card, head._replace(body=body), caller)

    async def _check_body(self, head: HttpRequest, spool: Spool) -> None:
        """Hold the body against what the head has of it. Raises ApiError where it is another."""
        stated = head.headers.get("x-amz-content-sha256", UNSIGNED)
        if is_chunked(head.headers):
            key = self._gate.chunk_key(head) if stated.startswith(SIGNED) else None
            await asyncio.to_thread(unpack, spool.file, _Nowhere(), key)
            spool.file.seek(0)
        elif stated not in {UNSIGNED, spool.sha256}:
            text = "The provided 'x-amz-content-sha256' header does not match what was computed."
            raise ApiError("XAmzContentSHA256Mismatch", text, status=400)

    async def _refuse(
        self, send: Any, card: Card, head: HttpRequest, error: ApiError, request_id: str, *, whole: bool
    ) -> int:
        response = self._catalog.error(None, head, error, request_id, card)
        if not whole:
            response.headers.append(("connection", "close"))  # whether its body still comes, only its client knows
        await send_answer(send, _as_answer(response))
        return response.status


def _is_stated(card: Card, head: HttpRequest) -> bool:
    """Whether the head says of the body what the signature is over."""
    return "x-amz-content-sha256" in head.headers or (
        signs_objects(card.signing_name) and "X-Amz-Signature=" in head.query
    )


def _stated(head: HttpRequest) -> str:
    return head.headers.get("x-amz-content-sha256", UNSIGNED)


class _Nowhere:
    """What is only looked at."""

    def write(self, _data: bytes, /) -> None:
        """Nothing."""


def _as_answer(response: HttpResponse) -> PassedAnswer:
    async def body() -> Any:
        yield response.body

    length = ("content-length", str(len(response.body)))
    return PassedAnswer(response.status, [*response.headers, length], body())


async def send_answer(send: Any, answer: PassedAnswer) -> None:
    """An answer, piece by piece as it comes."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    async for piece in answer.body:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
