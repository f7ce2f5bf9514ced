"""Which service, operation and protocol a request speaks.

The catalog calls it; REST paths are `rest`'s. The most telling mark wins: X-Amz-Target, then the RPC v2 path, then
an Action parameter, then the path. The credential scope decides between services that share a mark.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from longshore.wire.credential import CredentialScope, scope_of
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest
from longshore.wire.inflate import inflated
from longshore.wire.models import Card, Shelf
from longshore.wire.query import decode_form

FORM_TYPE = "application/x-www-form-urlencoded"


class UnknownServiceError(ApiError):
    """A request is for a service that is not on the shelf."""


class Identity(NamedTuple):
    """The answer, with the form where decoding it was needed to find out."""

    service: str
    operation: str
    protocol: str
    form: dict[str, str] | None = None


def form_of(request: HttpRequest) -> dict[str, str] | None:
    """Return the parameters of a Query request from its body or its query string; None if it is none."""
    if request.headers.get("content-type", "").startswith(FORM_TYPE) and request.body:
        form = decode_form(inflated(request).body)
        if request.query:
            form = {**decode_form(request.query.encode()), **form}
        return form if "Action" in form else None
    if request.query.startswith("Action=") or "&Action=" in request.query:
        return decode_form(request.query.encode())
    return None


def speaks_forms(request: HttpRequest) -> bool:
    """Whether the head of a request is that of a Query API's, whose operation is an Action in a form."""
    in_body = request.headers.get("content-type", "").startswith(FORM_TYPE)
    return in_body or request.query.startswith("Action=") or "&Action=" in request.query


def rpc_path(path: str) -> tuple[str, str] | None:
    """Split /service/X/operation/Y, which may stand after a prefix."""
    parts = path.rsplit("/", 4)
    if len(parts) == 5 and parts[1] == "service" and parts[3] == "operation":
        return parts[2].rpartition(".")[2], parts[4]
    return None


class Identifier:
    """Identifies requests for the services on a shelf."""

    def __init__(self, shelf: Shelf, route: Callable[[HttpRequest, Iterable[Card]], Identity | None]) -> None:
        self._shelf = shelf
        self._route = route

    def identify(self, request: HttpRequest) -> Identity:
        """Identify a request, or raise the error that its client understands."""
        scope = scope_of(request)
        target = request.headers.get("x-amz-target")
        if target:
            prefix, _, operation = target.rpartition(".")
            return self._rpc(prefix, operation, "json", scope)
        path = rpc_path(request.path)
        if path and request.headers.get("smithy-protocol", "rpc-v2-cbor") == "rpc-v2-cbor":
            return self._rpc(path[0], path[1], "smithy-rpc-v2-cbor", scope)
        form = form_of(request)
        if form is not None:
            return self._form(form, scope)
        return self._rest(request, scope)

    def _rpc(self, prefix: str, operation: str, protocol: str, scope: CredentialScope | None) -> Identity:
        for card in self._shelf.cards.values():
            if card.target_prefix == prefix and protocol in card.protocols:
                if operation not in self._shelf.service(card.service).operations:
                    raise ApiError(
                        "UnknownOperationException", f"The service {card.service} has no operation {_quote(operation)}."
                    )
                return Identity(card.service, operation, protocol)
        known = [card for card in self._shelf.cards.values() if card.target_prefix == prefix]
        if known:
            raise ApiError(
                "UnknownOperationException", f"The service {known[0].service} does not speak the protocol {protocol}."
            )
        raise self._no_service(scope.service if scope else prefix, "UnknownOperationException")

    def _form(self, form: dict[str, str], scope: CredentialScope | None) -> Identity:
        action, version = form["Action"], form.get("Version")
        cards = [card for card in self._shelf.cards.values() if card.form]
        if scope:
            cards = [card for card in cards if card.signing_name == scope.service]
            if not cards:
                raise self._no_service(scope.service, "InvalidAction")
        if version and (exact := [card for card in cards if card.api_version == version]):
            cards = exact
        elif version:  # EC2 takes its earlier versions; another version of a Query API is another service
            cards = [card for card in cards if scope and card.form == "ec2"]
        if not cards:
            raise ApiError("InvalidAction", f"No service here has the API version {_quote(version or '')}.")
        for card in cards:
            if action in self._shelf.service(card.service).operations:
                return Identity(card.service, action, card.form or "query", form)
        where = f"The service {cards[0].service}" if len(cards) == 1 else "No service here"
        verb = "has no action" if len(cards) == 1 else "has the action"
        raise ApiError("InvalidAction", f"{where} {verb} {_quote(action)} in version {_quote(version or 'any')}.")

    def _rest(self, request: HttpRequest, scope: CredentialScope | None) -> Identity:
        cards = [card for card in self._shelf.cards.values() if card.rest]
        if scope:
            signed = [card for card in self._shelf.cards.values() if card.signing_name == scope.service]
            if not signed:
                raise self._no_service(scope.service, "UnknownOperationException")
            cards = [card for card in signed if card.rest]
        identity = self._route(request, cards)
        if identity is not None:
            return identity
        raise ApiError(
            "UnknownOperationException",
            f"No AWS operation is named by {request.method} {_quote(request.path)}. Send an X-Amz-Target header, "
            "an Action parameter, or the path of a REST operation, as the AWS CLI and the SDKs do.",
            status=404,
        )

    def _no_service(self, named: str, code: str) -> UnknownServiceError:
        served = ", ".join(sorted(self._shelf.cards))
        return UnknownServiceError(
            code, f"This endpoint does not serve the service {_quote(named)}. It serves: {served}."
        )


def _quote(text: str) -> str:
    """Quote what a client sent, shortened."""
    return repr(text if len(text) <= 128 else text[:125] + "...")
