"""Every AWS service that botocore has a model of: which one is a request meant for, if it is none of those we serve?

`api/others/routes.py` asks it. The most telling mark wins, as in `identify`: X-Amz-Target, the RPC v2 path, the
credential scope (and the path, where several services sign with one name), the API version of a form, the host name.
Reading the heads of all models takes a third of a second: `load` does it beforehand, the first question otherwise.
"""

from collections.abc import Iterable
from functools import cached_property

from botocore.loaders import Loader

from longshore.wire.credential import scope_of
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest
from longshore.wire.identify import form_of, rpc_path, speaks_forms
from longshore.wire.models import Card, Shelf
from longshore.wire.routes import Match, Routes, decode_query


class Atlas:
    """All services, by what tells them apart."""

    def __init__(self) -> None:
        self._routes: dict[str, Routes] = {}

    @cached_property
    def _shelf(self) -> Shelf:
        loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
        return Shelf(loader.list_available_services("service-2"))

    @property
    def cards(self) -> dict[str, Card]:
        """Every service's card, by botocore's name."""
        return self._shelf.cards

    def load(self) -> None:
        """Read what the first question needs."""
        _ = self.cards

    def named(self, name: str) -> list[Card]:
        """The services with that name: botocore's, or the one that requests are signed with."""
        return [card for card in self.cards.values() if name in (card.service, card.signing_name)]

    def find(self, request: HttpRequest) -> Card | None:
        """The service that a request is meant for; None if it doesn't say."""
        target = request.headers.get("x-amz-target")
        path = rpc_path(request.path)
        prefix = target.rpartition(".")[0] if target else path[0] if path else None
        scope = scope_of(request)
        signed = [card for card in self.cards.values() if scope and card.signing_name == scope.service]
        if prefix is not None:
            exact = [card for card in signed or self.cards.values() if card.target_prefix == prefix]
            return _first(exact, prefix) or _first(signed, scope.service if scope else prefix)
        version = _form_version(request)
        if scope is not None:
            of_version = [card for card in signed if card.form and card.api_version == version]
            if version is not None and len(signed) > 1 and not of_version:
                return None
            if len(signed) > 1 and not speaks_forms(request):
                return self._at_path(request, [card for card in signed if card.rest] or signed, scope.service)
            return _first(of_version or signed, scope.service)
        if version is not None:
            return _first([card for card in self.cards.values() if card.form and card.api_version == version], "")
        return self._at_host(request.headers.get("host", ""))

    def _at_path(self, request: HttpRequest, cards: Iterable[Card], name: str) -> Card | None:
        """Of services that sign with one name, the one whose operations have the path, most of it letter by letter."""
        found: dict[str, int] = {}
        for card in cards:
            match = self._match(card, request)
            if match is not None:
                found[card.service] = match.literals
        most = max(found.values(), default=0)
        return _first([card for card in cards if found.get(card.service, 0) == most], name)

    def _match(self, card: Card, request: HttpRequest) -> Match | None:
        routes = self._routes.get(card.service)
        if routes is None:
            routes = self._routes[card.service] = Routes(self._shelf.service(card.service))
        try:
            return routes.match(request.method, request.path, decode_query(request.query), request.headers)
        except UnicodeDecodeError:
            return None

    def _at_host(self, host: str) -> Card | None:
        """By the labels of a host name such as `sqs.eu-west-1.amazonaws.com` or `bucket.s3.localhost`."""
        labels = host.partition(":")[0].lower().split(".")
        for label in labels[:-1]:
            if label in self.cards:
                return self.cards[label]
        return None


def _first(cards: Iterable[Card], name: str) -> Card | None:
    """The one with that very name where several share a mark, else the first."""
    found = list(cards)
    return next((card for card in found if card.service == name), found[0] if found else None)


def _form_version(request: HttpRequest) -> str | None:
    try:
        return (form_of(request) or {}).get("Version")
    except ApiError:
        return None
