"""Requests for AWS services that Longshore doesn't serve: who answers them instead, or what to do about it.

`app.py` asks `at_head` before it reads a body: what somebody else answers may be large, and is handed on piece by
piece. What only the body tells, or nothing does, comes by `answer_whole`. With `--with moto` a provider answers for
every service, with `--forward SERVICE=URL` another one for some. See docs/other-services.md.
"""

import asyncio
import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from longshore.api.callers.auth import Caller
from longshore.api.http.spool import Spool, spooled
from longshore.domain.record import Scope
from longshore.drivers.ports import Around, PassedAnswer, PassedRequest, Permanent, Provider, Retryable, Unserved
from longshore.wire.atlas import Atlas
from longshore.wire.credential import scope_of
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest, HttpResponse
from longshore.wire.identify import UnknownServiceError, rpc_path, speaks_forms
from longshore.wire.models import Card
from longshore.wire.virtual_host import with_bucket_in_path

S3 = "s3"
OBJECT_SIGNERS = frozenset({"s3", "s3express", "s3-outposts", "s3-object-lambda"})
"""Signing names of services that sign paths as they stand, and a hash of the body rather than the body."""
MAX_OBJECT_BYTES = 5 * 1024**3
"""S3's own limit for one request."""
MAX_OTHER_BYTES = 128 * 1024**2
"""A function's code is the largest that other services take."""
NAMED_WITHIN_BYTES = 1024**2
"""Of a form so much is read to find out which operation nobody has."""
_DROPPED = ("access-control-", "connection", "transfer-encoding", "keep-alive", "date", "server")
"""Of an answer: what is about its connection, what the server adds, and what would let web pages read it."""
_RESERVED = ("/moto-api", "/latest/", "/favicon.ico", "/_longshore")
"""Paths that are no bucket of an unsigned request."""


def signs_objects(service: str | None) -> bool:
    """Whether requests with this signing name are signed as an object store has it."""
    return service in OBJECT_SIGNERS


class OtherServices:
    """Who answers for what."""

    def __init__(
        self,
        own: Iterable[Card],
        *,
        forwards: Mapping[str, Provider] | None = None,
        everything: Provider | None = None,
        atlas: Atlas | None = None,
        operation: Callable[[Card, HttpRequest], str] = lambda _card, _request: "",
        around: Callable[[Scope], Around | None] = lambda _scope: None,
    ) -> None:
        """`forwards` by botocore's names; `everything` answers what neither they nor we do.

        `operation` names what a request of a service asks for; empty where it can't be told. `around` reads what of
        ours a request may name.
        """
        self.atlas = atlas or Atlas()
        self._operation = operation
        self._around = around
        self._forwards = dict(forwards or {})
        self._everything = everything
        own = [card for card in own if card.service not in self._forwards]
        self._own = frozenset(card.service for card in own)
        self._own_names = frozenset(card.signing_name for card in own)
        self._own_prefixes = frozenset(card.target_prefix for card in own if card.target_prefix)
        self._somebody = bool(self._forwards or everything)

    def provider(self, card: Card) -> Provider | None:
        """Who answers for a service; None where it is ours, or nobody's."""
        if card.service in self._own:
            return None
        return self._forwards.get(card.service, self._everything)

    def at_head(self, request: HttpRequest) -> Card | None:
        """The service that somebody else answers for, if a request's head says so."""
        if not self._somebody:
            return None
        target = request.headers.get("x-amz-target")
        path = None if target else rpc_path(request.path)
        if target or path:
            prefix = target.rpartition(".")[0] if target else path[0] if path else ""
            found = None if prefix in self._own_prefixes else self.atlas.find(request)
            return found if found is not None and self.provider(found) else None
        scope = scope_of(request)
        if scope is not None and scope.service in self._own_names:
            return None
        found = self.atlas.find(request) if scope is not None else self._old_signature(request)
        return found if found is not None and self.provider(found) else None

    def _old_signature(self, request: HttpRequest) -> Card | None:
        """S3 for a request with a signature of version 2, which nobody else takes."""
        old = request.headers.get("authorization", "").startswith("AWS ") or "AWSAccessKeyId=" in request.query
        return self.atlas.cards[S3] if old else None

    async def of_refused(self, request: HttpRequest, error: ApiError) -> Card | None:
        """The service that a request is for, when none of ours was found in it."""
        await asyncio.to_thread(self.atlas.load)
        card = self.atlas.find(request)
        if card is None and scope_of(request) is None and self._may_be_object(request, error):
            card = self.atlas.cards[S3]
        return None if card is None or card.service in self._own else card

    def _may_be_object(self, request: HttpRequest, error: ApiError) -> bool:
        """Whether an unsigned request that names nothing of ours is one for a bucket, where somebody has buckets."""
        unnamed = not isinstance(error, UnknownServiceError) and "x-amz-target" not in request.headers
        bucket = request.path != "/" and not request.path.startswith(_RESERVED)
        return unnamed and bucket and self.provider(self.atlas.cards[S3]) is not None

    def refusal(self, card: Card, error: ApiError) -> ApiError:
        """Says which service it was, and how to have it."""
        text = (
            f"Longshore doesn't serve the service {card.service!r} itself. Start it with `--with moto` to have moto "
            f"answer (in memory), or with `--forward {card.service}=URL` to send its requests elsewhere: "
            "docs/other-services.md says more. "
            f"It serves: {', '.join(sorted(self._own))}."
        )
        return ApiError(error.code, text, status=error.status)

    async def receive_body(self, receive: Any, card: Card) -> Spool:
        """The body of a request for a service. Raises ApiError where it is too large."""
        return await spooled(receive, MAX_OBJECT_BYTES if signs_objects(card.signing_name) else MAX_OTHER_BYTES)

    async def answer(
        self, card: Card, request: HttpRequest, headers: Iterable[tuple[str, str]], caller: Caller, spool: Spool
    ) -> PassedAnswer:
        """What its provider says. Raises ApiError where it says nothing."""
        provider = self.provider(card)
        assert provider is not None, "asked for a service that nobody answers for"  # noqa: S101  a fault of app's
        passed = PassedRequest(
            service=card.service,
            signing_name=card.signing_name,
            account=caller.account,
            region=caller.region,
            method=request.method,
            path=request.path,
            query=request.query,
            headers=list(headers),
            body=spool.file,
            size=spool.size,
            around=self._around(Scope(caller.account, caller.region)) if provider.looks_around else None,
        )
        try:
            status, answered, body = await provider.answer(passed)
        except Unserved:
            whole = request if request.body else request._replace(body=await asyncio.to_thread(_beginning, spool))
            raise self._unserved(card, whole, provider) from None
        except (Retryable, Permanent) as error:
            text = f"Longshore hands {card.service} on, without success: {error.reason}"
            raise ApiError("ServiceUnavailable", text, status=503) from error
        kept = [(name.lower(), value) for name, value in answered if not name.lower().startswith(_DROPPED)]
        return PassedAnswer(status, kept, body)

    def _unserved(self, card: Card, request: HttpRequest, provider: Provider) -> ApiError:
        """Says what it was that a provider doesn't have, and how to have it."""
        operation = self._operation(card, with_bucket_in_path(request) if card.service == S3 else request)
        asked = f"the operation {operation} of the service {card.service!r}" if operation else f"{card.service!r}"
        text = (
            f"Longshore doesn't serve the service {card.service!r} itself, and {provider.name} doesn't have {asked}. "
            f"With `--forward {card.service}=URL` all requests of that service go to a server that has it: "
            "docs/other-services.md says more."
        )
        code = "InvalidAction" if speaks_forms(request) else "UnknownOperationException"
        return ApiError(code, text, status=400)

    async def answer_whole(self, card: Card, request: HttpRequest, caller: Caller) -> HttpResponse:
        """The same for a request that is here with its body."""
        spool = Spool(io.BytesIO(request.body), len(request.body), "")
        status, headers, body = await self.answer(card, request, request.headers.items(), caller, spool)
        return HttpResponse(status, headers, b"".join([piece async for piece in body]))


def _beginning(spool: Spool) -> bytes:
    """What a body begins with, of one that its provider has read."""
    spool.file.seek(0)
    return spool.file.read(NAMED_WITHIN_BYTES)
