"""The request chain: from a request on a socket to an AWS operation's answer.

Identify, ask who calls, parse and validate by the model, ask policies whether the caller may, refuse what is not
served, run the handler in one transaction, wait until everything it wrote or read is on disk, answer. An error at any
point leaves no change: the answer is rendered before the transaction ends, so that one that cannot be rendered is
undone as well.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import structlog

from longshore.api.access.access import Access, Asked
from longshore.api.access.asking import Ask
from longshore.api.access.keys import note_use
from longshore.api.access.others import Others
from longshore.api.callers.auth import Caller, Gate, Listener
from longshore.api.metrics.page import Metrics
from longshore.api.operation import Call, Operation, Service
from longshore.api.others.around import around
from longshore.api.others.passing import Passage
from longshore.api.others.routes import OtherServices, signs_objects
from longshore.api.refusals import Check, compile_refusals
from longshore.domain.clock import Clock, Ids
from longshore.domain.record import Scope
from longshore.domain.secrets.vault import Vault
from longshore.drivers.ports import Around, Provider
from longshore.store.errors import StoreFailed
from longshore.store.events import EventLog
from longshore.store.store import Store, Transaction
from longshore.wire.catalog import Catalog, Target
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest, HttpResponse
from longshore.wire.models import Card

log = structlog.get_logger("longshore.request")

MAX_BODY_BYTES = 8 * 1024 * 1024
"""A larger request is refused; ECS's own documents end at 64 KiB, a batch of log events at 1 MiB."""
NAMES_LOOKED_AT_BYTES = 64 * 1024
"""Of larger bodies, batches of log events, the names are not looked at a second time."""
BODY_TIMEOUT_S = 30.0
"""How long a client may take to send a body."""
TOO_LATE = 408
"""The status of a request whose body did not come in time."""

Scopes = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Asgi = Callable[[Scopes, Receive, Send], Awaitable[None]]
Beside = Callable[[Scopes], Asgi | None]
"""The application that a request is for, where it is for another than the AWS APIs."""


@dataclass(frozen=True, slots=True)
class _Served:
    """An operation, ready to be called."""

    operation: Operation
    check: Check | None


class Chain:
    """What all listeners share."""

    def __init__(  # noqa: PLR0913  the parts that every request needs, each by name
        self,
        *,
        store: Store,
        events: EventLog,
        services: Iterable[Service],
        gate: Gate,
        access: Access,
        clock: Clock,
        ids: Ids,
        vault: Vault,
        metrics: Metrics,
        prepare: Callable[[Transaction, Scope], None] = lambda _tx, _scope: None,
        forwards: Mapping[str, Provider] = MappingProxyType({}),
        everything_else: Provider | None = None,
    ) -> None:
        self._store = store
        self._events = events
        self._gate = gate
        self._access = access
        self._clock = clock
        self._ids = ids
        self._vault = vault
        self._metrics = metrics
        self._prepare = prepare
        """Called with each scope in the transaction of its first requests: makes what is missing of a new account."""
        self._prepared: set[Scope] = set()
        tables = {service.name: service for service in services}
        self._catalog = Catalog(
            tables, validation_codes={s.name: s.validation_code for s in tables.values() if s.validation_code}
        )
        self._other_asks = Others()
        self._others = OtherServices(
            self._catalog.shelf.cards.values(),
            forwards=forwards,
            everything=everything_else,
            operation=lambda card, request: self._other_asks.read(card, request)[0],
            around=partial(self._around, forwarded=forwards),
        )
        self.passage = Passage(self._others, gate, self._catalog, clock, ids, self._tell_passed, self._authorise_other)
        self._served = {
            (service.name, name): _Served(operation, compile_refusals(operation, service.refusal_code))
            for service in tables.values()
            for name, operation in service.operations.items()
        }

    async def answer(self, request: HttpRequest, listener: Listener) -> HttpResponse:
        """The answer to one request. Never raises."""
        began = time.perf_counter()
        request_id = self._ids.uuid()
        target: Target | None = None
        other: Card | None = None
        caller: Caller | None = None
        code = "OK"
        try:
            scope = self._catalog.scope(request)
            protocol = self._catalog.guess_protocol(request) if listener.signatures else ""
            plain_path = scope is not None and signs_objects(scope.service)
            caller = self._gate.caller(request, scope, listener, protocol, self._clock.now(), plain_path=plain_path)
            try:
                target = self._catalog.identify(request)
            except ApiError as error:
                other = await self._others.of_refused(request, error)
                if other is None:
                    raise
                response = await self._answer_other(other, request, caller, error)
            else:
                before = self._store.revision
                response = self._handle(target, request, caller, request_id)
                # A read waits for what it saw, and goes on working when the disk has failed: it saw what is there.
                await self._store.durable(before if self._store.revision == before else None)
                if target.service == "logs":
                    await self._events.durable()
        except ApiError as error:
            code = error.code
            response = self._fault(target, request, error, request_id, other)
        except StoreFailed as error:
            code = "ServiceUnavailable"
            log.error("the store has failed", reason=str(error))  # noqa: TRY400  the reason is the whole story
            response = self._fault(target, request, _store_failed(error), request_id)
        except Exception:
            code = "InternalFailure"
            log.exception("a fault while answering", request_id=request_id, operation=target and target.operation)
            response = self._fault(target, request, _internal(request_id), request_id)
        service, operation = (target.service, target.operation) if target else (other.service if other else "", "")
        self._tell(service, operation, caller, code, response.status, request_id, time.perf_counter() - began)
        return response

    def _around(self, scope: Scope, forwarded: Collection[str]) -> Around:
        """What of ours a request to others may name: the defaults of a new account, too."""
        if scope not in self._prepared and self._store.failed is None:
            with self._store.transaction() as tx:
                self._prepare(tx, scope)
            self._prepared.add(scope)
        return around(self._store, scope, forwarded)

    async def _answer_other(self, card: Card, request: HttpRequest, caller: Caller, error: ApiError) -> HttpResponse:
        """The answer of somebody else. Raises ApiError where there is nobody."""
        if self._others.provider(card) is None:
            raise self._others.refusal(card, error) from None
        self._authorise_other(card, request, caller)
        return await self._others.answer_whole(card, request, caller)

    def _fault(
        self, target: Target | None, request: HttpRequest, error: ApiError, request_id: str, other: Card | None = None
    ) -> HttpResponse:
        """The answer that says an error."""
        try:
            return self._catalog.error(target, request, error, request_id, other)
        except Exception:
            log.exception("a fault while saying an error", request_id=request_id, code=error.code)
            return HttpResponse(500, [("x-amzn-RequestId", request_id)], b"")

    def _handle(self, target: Target, request: HttpRequest, caller: Caller, request_id: str) -> HttpResponse:
        served = self._served.get((target.service, target.operation))
        if served is None:
            raise ApiError(
                "UnknownOperationException" if target.protocol not in {"query", "ec2"} else "InvalidAction",
                f"Longshore doesn't serve {target.service} {target.operation} yet: docs/coverage.md says what it does.",
                status=400,
            )
        params = self._catalog.parse(target, request)
        self._authorise(target, request, caller, params)
        self._tell_unknown(target, request, request_id)
        if served.check is not None:
            served.check(params)
        scope = Scope(caller.account, caller.region)
        with self._store.transaction() as tx:
            fresh = scope not in self._prepared
            if fresh:
                self._prepare(tx, scope)
            if self._store.failed is None:  # without a disk reads go on
                note_use(tx, caller, target.service, self._clock.now())
            result = served.operation.handler(
                Call(
                    tx=tx,
                    events=self._events,
                    scope=scope,
                    now=self._clock.now(),
                    ids=self._ids,
                    vault=self._vault,
                    caller=caller,
                    access=self._access,
                    request_id=request_id,
                    params=params,
                )
            )
            response = self._catalog.serialize(target, result, request_id)
        if fresh:
            self._prepared.add(scope)
        return response

    def _authorise(self, target: Target, request: HttpRequest, caller: Caller, params: dict[str, Any]) -> None:
        """Raise where the caller's policies don't allow the request."""
        if not caller.principal.source and not caller.principal.session:
            return
        scope = Scope(caller.account, caller.region)
        ask = Ask(self._store, scope, target.service, target.operation, params, caller.principal_arn)
        agent = request.headers.get("user-agent", "")
        self._access.check(Asked(caller, ask, target.protocol, self._clock.now(), agent))

    def _authorise_other(self, card: Card, request: HttpRequest, caller: Caller) -> None:
        """Raise where the caller's policies don't allow a request to a service of others."""
        if not caller.principal.source:
            return
        scope, agent = Scope(caller.account, caller.region), request.headers.get("user-agent", "")
        protocol = self._catalog.guess_protocol(request, card)
        for ask in self._other_asks.asks(card, request, self._store, scope, caller.principal_arn):
            self._access.check(Asked(caller, ask, protocol, self._clock.now(), agent))

    def refuse(self, request: HttpRequest, error: ApiError) -> HttpResponse:
        """The answer to a request whose body was not read to its end."""
        return self._fault(None, request, error, self._ids.uuid())

    async def durable(self) -> None:
        """Return once all that was written is on disk."""
        await self._store.durable()

    def forget(self) -> None:
        """After a reset: every scope is new again."""
        self._prepared.clear()

    def _tell_unknown(self, target: Target, request: HttpRequest, request_id: str) -> None:
        """A line about members that the model lacks: AWS ignores them, and so must we, but not in silence."""
        names = self._catalog.unknown_members(target, request) if len(request.body) <= NAMES_LOOKED_AT_BYTES else []
        if names:
            log.warning(
                "ignored members that the service's model lacks: misspelt, or newer than this Longshore",
                service=target.service,
                operation=target.operation,
                members=[name[:128] for name in names],
                request_id=request_id,
            )

    def _tell_passed(
        self, service: str, caller: Caller | None, code: str, status: int, request_id: str, seconds: float
    ) -> None:
        self._tell(service, "", caller, code, status, request_id, seconds)

    def _tell(
        self,
        service: str,
        operation: str,
        caller: Caller | None,
        code: str,
        status: int,
        request_id: str,
        seconds: float,
    ) -> None:
        """One line and one count per request. Parameters and headers are never logged: they may hold secrets."""
        self._metrics.request(service, operation, code, seconds)
        log.info(
            "request",
            service=service,
            operation=operation,
            status=status,
            code=code,
            ms=round(seconds * 1000, 1),
            request_id=request_id,
            account=caller.account if caller else "",
            region=caller.region if caller else "",
            principal=caller.principal_arn if caller else "",
        )


def aws_app(
    chain: Chain,
    listener: Listener,
    internal: Callable[[HttpRequest], HttpResponse | None],
    beside: Beside = lambda _scope: None,
) -> Asgi:
    """The ASGI application of one listener. `internal` answers Longshore's own paths, and None for all others."""

    async def app(scope: Scopes, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        head = _request(scope, b"")
        other = chain.passage.others.at_head(head)
        if other is not None:  # before what stands beside: some of AWS's own paths begin with /v2/ too
            await chain.passage(other, head, _pairs(scope), listener, receive, send)
            return
        beside_us = beside(scope)
        if beside_us is not None:
            await beside_us(scope, receive, send)
            return
        try:
            check_length(scope)
            body = await read_body(receive)
        except ConnectionError:
            return
        except ApiError as error:
            refusal = chain.refuse(head, error)
            if error.status == TOO_LATE or any(name == b"expect" for name, _ in scope["headers"]):
                refusal.headers.append(("connection", "close"))  # whether the rest still comes, only its client knows
            await send_response(send, refusal)
            return
        request = head._replace(body=body)
        response = internal(request)
        if response is None:
            response = await chain.answer(request, listener)
        elif request.method != "GET":
            await chain.durable()
        await send_response(send, response)

    return app


def check_length(scope: Scopes) -> None:
    """Refuse a body whose length says that it is too large, before the client is asked to send it."""
    if any(name == b"content-length" and int(value) > MAX_BODY_BYTES for name, value in scope["headers"]):
        raise _too_large()


def _too_large() -> ApiError:
    text = f"The request is larger than {MAX_BODY_BYTES} bytes, the most that Longshore takes."
    return ApiError("RequestEntityTooLargeException", text, status=413)


async def read_body(receive: Receive) -> bytes:
    """The whole body. Raises ApiError where it is too large or too slow, ConnectionError where the client has left."""
    parts: list[bytes] = []
    size, more = 0, True
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ConnectionError("the client left before its request was whole")
                part = message.get("body", b"")
                size += len(part)
                if size > MAX_BODY_BYTES:
                    raise _too_large()
                parts.append(part)
                more = message.get("more_body", False)
    except TimeoutError:
        text = f"The request's body did not arrive within {BODY_TIMEOUT_S:.0f} seconds."
        raise ApiError("RequestTimeout", text, status=TOO_LATE) from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def send_response(send: Send, response: HttpResponse) -> None:
    """One answer, whole."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in response.headers]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def _pairs(scope: Scopes) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]


def _request(scope: Scopes, body: bytes) -> HttpRequest:
    headers = dict(_pairs(scope))
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.partition(b"?")[0].decode("latin-1")
    client: tuple[str, int] | None = scope.get("client")
    return HttpRequest(
        scope["method"], path, scope["query_string"].decode("latin-1"), headers, body, client[0] if client else ""
    )


def _internal(request_id: str) -> ApiError:
    return ApiError(
        "InternalFailure",
        f"A fault inside Longshore; nothing was changed. Its log has the details under request id {request_id}.",
        status=500,
    )


def _store_failed(error: StoreFailed) -> ApiError:
    return ApiError(
        "ServiceUnavailable",
        f"Longshore can't write to its disk at the moment. {error}",
        status=503,
    )
