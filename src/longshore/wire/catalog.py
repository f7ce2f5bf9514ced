"""The wire's front door: identifies requests, parses them, and renders results and errors, for the services declared.

The request chain owns one `Catalog`. It is pure but for reading model files at first use, and knows no service by
name: what differs between services without standing in their models is passed to the constructor.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from botocore.model import OperationModel

from longshore.wire import cbor, json_body, query, xml
from longshore.wire.credential import CredentialScope, scope_of
from longshore.wire.errors import ApiError, UnreadableError
from longshore.wire.faults import Faults
from longshore.wire.http import HttpRequest, HttpResponse
from longshore.wire.identify import FORM_TYPE, Identifier, Identity, form_of, rpc_path
from longshore.wire.inflate import inflated
from longshore.wire.models import Card, Shelf
from longshore.wire.rest import Codecs, RestOperation
from longshore.wire.routes import Match, Routes, decode_query
from longshore.wire.shapes import unknown_result
from longshore.wire.unknown import Finder, unknown_names
from longshore.wire.validate import Validator, Violation, summary

_NO_CODES: Mapping[str, str] = MappingProxyType({})
_FORMS = ("query", "ec2")
_VALIDATION_CODES = {"query": "ValidationError", "rest-xml": "InvalidInput"}
_UNREADABLE_CODES = {"query": "MalformedInput", "ec2": "InvalidParameterValue", "rest-xml": "MalformedXML"}


class Target(NamedTuple):
    """What a request asks for."""

    service: str  # botocore's name, such as "ecs"
    operation: str
    protocol: str  # "json", "query", "ec2", "rest-json", "rest-xml" or "smithy-rpc-v2-cbor"
    model: OperationModel
    json_version: str = "1.1"


class Compiled(NamedTuple):
    """The compiled functions of one operation in one protocol."""

    read: Callable[[HttpRequest], dict[str, Any]]
    write: Callable[[Mapping[str, Any], str], HttpResponse]
    check: Callable[[Any, str, list[Violation]], None] | None


class Catalog:
    """Every AWS protocol, for the services declared (botocore's names).

    `validation_codes` names the error code of a failed validation per service, where it is not the protocol's usual
    one (ValidationException; ValidationError for Query; MissingParameter and InvalidParameterValue for EC2).
    `unwrapped_errors` names the REST-XML services whose <Error> has no <ErrorResponse> around it.
    """

    def __init__(
        self,
        services: Iterable[str],
        *,
        validation_codes: Mapping[str, str] = _NO_CODES,
        unwrapped_errors: Collection[str] = (),
    ) -> None:
        self.shelf = Shelf(services)
        self._validation_codes = dict(validation_codes)
        self._identifier = Identifier(self.shelf, self._route)
        self._faults = Faults(unwrapped_errors)
        self._routes: dict[str, Routes] = {}
        self._compiled: dict[tuple[str, str, str], Compiled] = {}
        self._targets: dict[tuple[str, str, str, str], Target] = {}
        # Shapes of two services may share a name, so every service has its own codecs.
        self._codecs: dict[tuple[str, str], Any] = {}

    def identify(self, request: HttpRequest) -> Target:
        """Tell which operation a request asks for; raises ApiError for an unknown service or operation."""
        service, operation, protocol, _ = self._identifier.identify(request)
        version = "1.0" if request.headers.get("content-type", "").startswith("application/x-amz-json-1.0") else ""
        key = (service, operation, protocol, version)
        target = self._targets.get(key)
        if target is None:
            target = self.target(service, operation, protocol, version)
            self._targets[key] = target
        return target

    def target(self, service: str, operation: str, protocol: str, json_version: str = "") -> Target:
        """Return the target of an operation, as `identify` would."""
        model = self.shelf.service(service).model.operation_model(operation)
        return Target(service, operation, protocol, model, json_version or self.shelf.cards[service].json_version)

    def parse(self, target: Target, request: HttpRequest) -> dict[str, Any]:
        """Return the validated parameters: timestamps as epoch seconds, blobs as bytes. Raises ApiError only."""
        parameters = self.read(target, request)
        self.validate(target, parameters)
        return parameters

    def read(self, target: Target, request: HttpRequest) -> dict[str, Any]:
        """Parse without validating. Members that the model lacks are ignored, as AWS does."""
        try:
            return self._of(target).read(inflated(request) if target.model.request_compression else request)
        except UnreadableError as error:
            code = _UNREADABLE_CODES.get(target.protocol, "SerializationException")
            raise ApiError(code, error.sentence(), status=400) from None
        except RecursionError:
            raise ApiError("SerializationException", "The request is nested too deeply.", status=400) from None

    def validate(self, target: Target, parameters: Mapping[str, Any]) -> None:
        """Check parameters against the model."""
        check = self._of(target).check
        if check is None:
            return
        found: list[Violation] = []
        try:
            check(parameters, "", found)
        except RecursionError:
            raise ApiError("SerializationException", "The request is nested too deeply.", status=400) from None
        if found:
            raise self._invalid(target, found)

    def unknown_members(self, target: Target, request: HttpRequest) -> list[str]:
        """Return the dotted names in a request that the model lacks; AWS ignores them, a log may not want to.

        For requests that could be parsed.
        """
        finder = self._codec(target.service, "finder", Finder)
        return unknown_names(target.protocol, target.model, request, self._form, finder)

    def serialize(self, target: Target, result: Mapping[str, Any], request_id: str) -> HttpResponse:
        """Render a result. A member that the model lacks is a programming error: TypeError."""
        return self._of(target).write(result, request_id)

    def error(
        self, target: Target | None, request: HttpRequest, error: ApiError, request_id: str, card: Card | None = None
    ) -> HttpResponse:
        """Render an error; without a target the protocol is guessed from the request, and from its service's card."""
        if target is not None:
            return self._faults.write(error, self.shelf.service(target.service), target.protocol, request, request_id)
        return self._faults.write(error, None, self.guess_protocol(request, card), request, request_id, card)

    def scope(self, request: HttpRequest) -> CredentialScope | None:
        """Return who signed a request, for which region and service."""
        return scope_of(request)

    def operations(self, service: str) -> list[str]:
        """Return the names of a service's operations."""
        return list(self.shelf.service(service).model.operation_names)

    def guess_protocol(self, request: HttpRequest, card: Card | None = None) -> str:
        """Guess the protocol that a request's client reads errors in; `card` is of a service that is not served."""
        content_type = request.headers.get("content-type", "")
        if "x-amz-target" in request.headers or content_type.startswith("application/x-amz-json"):
            return "json"
        if "smithy-protocol" in request.headers or rpc_path(request.path):
            return "smithy-rpc-v2-cbor"
        scope = scope_of(request)
        cards = [each for each in self.shelf.cards.values() if scope and each.signing_name == scope.service]
        cards = [card] if card is not None else cards
        if content_type.startswith(FORM_TYPE) or "Action=" in request.query:
            return next((each.form for each in cards if each.form), self._guess_form(request))
        return cards[0].protocols[0] if cards else "rest-json"

    def _guess_form(self, request: HttpRequest) -> str:
        try:
            version = (form_of(request) or {}).get("Version")
        except ApiError:
            version = None
        forms = [card.form for card in self.shelf.cards.values() if card.form and card.api_version == version]
        return forms[0] or "query" if forms else "query"

    def _route(self, request: HttpRequest, cards: Iterable[Card]) -> Identity | None:
        for card in cards:
            match = self._match(card.service, request)
            if match is not None:
                return Identity(card.service, match.operation, card.rest or "rest-json")
        return None

    def _match(self, service: str, request: HttpRequest) -> Match | None:
        routes = self._routes.get(service)
        if routes is None:
            routes = self._routes[service] = Routes(self.shelf.service(service))
        try:
            asked = decode_query(request.query)
        except UnicodeDecodeError:
            return None
        return routes.match(request.method, request.path, asked, request.headers)

    def _form(self, request: HttpRequest) -> dict[str, str]:
        return form_of(request) or {}

    def _invalid(self, target: Target, found: list[Violation]) -> ApiError:
        code = self._validation_codes.get(target.service)
        if target.protocol == "ec2" and code is None:
            first = found[0]
            name = first.path[:1].upper() + first.path[1:]
            if first.missing:
                return ApiError("MissingParameter", f"The request must contain the parameter {name}", status=400)
            shown = f"Value ({(first.shown or '').strip(chr(39))})" if first.shown else "The value"
            text = f"{shown} for parameter {name} is invalid. {first.constraint}"
            return ApiError("InvalidParameterValue", text, status=400)
        return ApiError(code or _VALIDATION_CODES.get(target.protocol, "ValidationException"), summary(found))

    def _codec(self, service: str, kind: str, make: Callable[[], Any]) -> Any:
        found = self._codecs.get((service, kind))
        if found is None:
            found = self._codecs[(service, kind)] = make()
        return found

    def _of(self, target: Target) -> Compiled:
        key = (target.service, target.operation, f"{target.protocol}-{target.json_version}")
        found = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = self._compile(target)
        return found

    def _compile(self, target: Target) -> Compiled:
        shape = target.model.input_shape
        check = self._codec(target.service, "validator", Validator).get(shape) if shape is not None else None
        if target.protocol == "json":
            read, write = self._json(target)
        elif target.protocol == "smithy-rpc-v2-cbor":
            read, write = self._cbor(target)
        elif target.protocol in _FORMS:
            read, write = self._query(target)
        else:
            read, write = self._rest(target)
        if target.model.has_event_stream_output:
            write = _refuse_stream
        return Compiled(read, write, check)

    def _json(self, target: Target) -> tuple[Any, Any]:
        reader = self._codec(target.service, "json-reader", json_body.JsonReader)
        writer = self._codec(target.service, "json-writer", json_body.JsonWriter)
        take = reader.get(target.model.input_shape) if target.model.input_shape is not None else _take_nothing
        give = writer.get(target.model.output_shape) if target.model.output_shape is not None else _give_nothing
        content_type = ("content-type", f"application/x-amz-json-{target.json_version}")

        def write(result: Mapping[str, Any], request_id: str) -> HttpResponse:
            return HttpResponse(200, [("x-amzn-RequestId", request_id), content_type], json_body.encode(give(result)))

        return (lambda request: take(json_body.decode(request.body))), write

    def _cbor(self, target: Target) -> tuple[Any, Any]:
        reader = self._codec(target.service, "cbor-reader", cbor.CborReader)
        writer = self._codec(target.service, "cbor-writer", cbor.CborWriter)
        take = reader.get(target.model.input_shape) if target.model.input_shape is not None else _take_nothing
        give = writer.get(target.model.output_shape) if target.model.output_shape is not None else _give_nothing

        def write(result: Mapping[str, Any], request_id: str) -> HttpResponse:
            headers = [
                ("x-amzn-RequestId", request_id),
                ("smithy-protocol", "rpc-v2-cbor"),
                ("content-type", "application/cbor"),
            ]
            return HttpResponse(200, headers, cbor.encode(give(result)))

        return (lambda request: take(cbor.decode(request.body))), write

    def _query(self, target: Target) -> tuple[Any, Any]:
        is_ec2 = target.protocol == "ec2"
        reader = self._codec(target.service, target.protocol, query.Ec2Reader if is_ec2 else query.QueryReader)
        writer = self._codec(target.service, "xml-writer", lambda: xml.XmlWriter("item" if is_ec2 else "member"))
        take = reader.get(target.model.input_shape) if target.model.input_shape is not None else _take_nothing
        output: Any = target.model.output_shape
        content = writer.content(output) if output is not None else None
        name, namespace = target.operation, self.shelf.cards[target.service].namespace
        wrapper = (output.serialization.get("resultWrapper") or f"{name}Result") if output is not None else ""
        head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}Response xmlns="{xml.escape(namespace)}">'

        def write(result: Mapping[str, Any], request_id: str) -> HttpResponse:
            out = [head]
            if is_ec2:
                out.append(f"<requestId>{xml.escape(request_id)}</requestId>")
            elif content is not None:
                out.append(f"<{wrapper}>")
            if content is not None:
                content(out, result)
            elif result:
                _give_nothing(result)
            if not is_ec2:
                out.append(f"</{wrapper}>" if content is not None else "")
                identity = f"<RequestId>{xml.escape(request_id)}</RequestId>"
                out.append(f"<ResponseMetadata>{identity}</ResponseMetadata>")
            out.append(f"</{name}Response>")
            headers = [("x-amzn-RequestId", request_id), ("content-type", "text/xml;charset=UTF-8")]
            return HttpResponse(200, headers, "".join(out).encode())

        return (lambda request: take(query.tree_of(self._form(request)))), write

    def _rest(self, target: Target) -> tuple[Any, Any]:
        codecs = self._codec(target.service, target.protocol, lambda: Codecs(target.protocol))
        operation = RestOperation(codecs, target.model)
        is_xml = target.protocol == "rest-xml"

        def read(request: HttpRequest) -> dict[str, Any]:
            match = self._match(target.service, request)
            return operation.read(request, match or Match(target.operation, {}))

        def write(result: Mapping[str, Any], request_id: str) -> HttpResponse:
            status, headers, body = operation.write(result)
            headers.append(("x-amzn-RequestId", request_id))
            if is_xml:
                headers.append(("x-amz-request-id", request_id))
            return HttpResponse(status, headers, body)

        return read, write


def _take_nothing(_raw: Any) -> dict[str, Any]:
    return {}


def _give_nothing(result: Mapping[str, Any]) -> dict[str, Any]:
    if result:
        raise unknown_result(None, next(iter(result)))
    return {}


def _refuse_stream(_result: Mapping[str, Any], _request_id: str) -> HttpResponse:
    raise TypeError("the operation answers with an event stream, which the wire does not write")
