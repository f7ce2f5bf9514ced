"""Renders errors: the envelope and the headers of each protocol, with the model's code, status and members.

The catalog calls it with what it knows; without a target the protocol is guessed from the request.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from longshore.wire import cbor, json_body, xml
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest, HttpResponse
from longshore.wire.models import Card, Fault, Service
from longshore.wire.rest import Codecs, OutputBinding, safe_header


class Answer(NamedTuple):
    """An error with all that the model says of it."""

    error: ApiError
    fault: Fault | None
    status: int
    sender: bool
    code: str  # as the protocol writes it


class Faults:
    """Writes errors in every protocol."""

    def __init__(self, unwrapped_errors: Collection[str]) -> None:
        self._unwrapped = frozenset(unwrapped_errors)
        self._json, self._cbor = json_body.JsonWriter(), cbor.CborWriter()
        self._xml = {"query": xml.XmlWriter(), "ec2": xml.XmlWriter("item"), "rest-xml": xml.XmlWriter()}
        self._rest = {name: Codecs(name) for name in ("rest-json", "rest-xml")}

    def write(
        self,
        error: ApiError,
        service: Service | None,
        protocol: str,
        request: HttpRequest,
        request_id: str,
        card: Card | None = None,
    ) -> HttpResponse:
        """Render an error; `card` is the service's where its model is not at hand."""
        card = service.card if service is not None else card
        answer = self._answer(error, service, protocol)
        headers = [("x-amzn-RequestId", request_id)]
        if protocol in ("json", "smithy-rpc-v2-cbor"):
            body = self._rpc(answer, service, protocol, request, headers)
        elif protocol == "rest-json":
            headers += [("X-Amzn-Errortype", safe_header(answer.code)), ("content-type", "application/json")]
            headers += self._bound(answer, protocol)
            body = json_body.encode(self._document(answer, self._json, with_type=False))
        elif protocol == "ec2":
            headers.append(("content-type", "text/xml;charset=UTF-8"))
            body = self._ec2(answer, request_id)
        else:
            headers.append(("content-type", "text/xml" if protocol == "query" else "application/xml"))
            if protocol == "rest-xml":
                headers.append(("x-amz-request-id", request_id))
                headers += self._bound(answer, protocol)
            body = self._enveloped(answer, card, protocol, request_id)
        return HttpResponse(answer.status, headers, b"" if request.method == "HEAD" else body)

    def _answer(self, error: ApiError, service: Service | None, protocol: str) -> Answer:
        fault = service.faults.get(error.code) if service else None
        status = error.status or (fault.status if fault else 400)
        by_name = protocol in ("json", "smithy-rpc-v2-cbor", "rest-json")
        code = (fault.shape.name if by_name else fault.code) if fault else error.code
        return Answer(error, fault, status, fault.sender if fault else status < 500, code)

    def _members(self, answer: Answer) -> Mapping[str, Any]:
        """Return the members of an error; the message goes under the model's own spelling."""
        shape = answer.fault.shape if answer.fault else None
        names = [name for name in shape.members if name.lower() == "message"] if shape else []
        name = names[0] if names else "message"
        return {name: answer.error.message, **{k: v for k, v in answer.error.members.items() if v is not None}}

    def _document(self, answer: Answer, writer: json_body.JsonWriter, *, with_type: bool) -> dict[str, Any]:
        members = dict(self._members(answer))
        document: dict[str, Any] = {"__type": answer.code} if with_type else {}
        if answer.fault is None:
            return {**document, **members}
        shape = answer.fault.shape
        if not any(name.lower() == "message" for name in shape.members):
            document["message"] = members.pop("message")
        bound = frozenset(name for name, member in shape.members.items() if member.serialization.get("location"))
        return {**document, **writer.structure(shape, bound)(members)}

    def _bound(self, answer: Answer, protocol: str) -> list[tuple[str, str]]:
        if answer.fault is None:
            return []
        binding = OutputBinding(self._rest[protocol], answer.fault.shape, "Error")
        return binding.bound(self._members(answer))[1]

    def _rpc(
        self,
        answer: Answer,
        service: Service | None,
        protocol: str,
        request: HttpRequest,
        headers: list[tuple[str, str]],
    ) -> bytes:
        if service is not None and service.card.query_compatible:
            code = answer.fault.code if answer.fault else answer.code
            headers.append(("x-amzn-query-error", safe_header(f"{code};{'Sender' if answer.sender else 'Receiver'}")))
        if protocol == "json":
            version = service.card.json_version if service else "1.1"
            sent = request.headers.get("content-type", "")
            if sent.startswith("application/x-amz-json-1."):
                version = "1.0" if sent.startswith("application/x-amz-json-1.0") else "1.1"
            headers.append(("content-type", f"application/x-amz-json-{version}"))
            return json_body.encode(self._document(answer, self._json, with_type=True))
        headers += [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")]
        return cbor.encode(self._document(answer, self._cbor, with_type=True))

    def _inner(self, answer: Answer, protocol: str) -> str:
        """Return the elements inside <Error>."""
        out = [
            f"<Code>{xml.escape(answer.code)}</Code>",
            f"<Message>{xml.escape(answer.error.message)}</Message>",
        ]
        if answer.fault is not None:
            members = {k: v for k, v in self._members(answer).items() if k.lower() not in ("message", "code")}
            self._xml[protocol].content(answer.fault.shape)(out, members)
        return "".join(out)

    def _ec2(self, answer: Answer, request_id: str) -> bytes:
        inner = self._inner(answer, "ec2")
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{xml.escape(request_id)}</RequestID></Response>"
        ).encode()

    def _enveloped(self, answer: Answer, card: Card | None, protocol: str, request_id: str) -> bytes:
        inner = self._inner(answer, protocol)
        identity = xml.escape(request_id)
        head = '<?xml version="1.0" encoding="UTF-8"?>\n'
        if card is not None and card.service in self._unwrapped:
            return f"{head}<Error>{inner}<RequestId>{identity}</RequestId></Error>".encode()
        namespace = card.namespace if card else ""
        xmlns = f' xmlns="{xml.escape(namespace)}"' if namespace else ""
        kind = "Sender" if answer.sender else "Receiver"
        return (
            f"{head}<ErrorResponse{xmlns}><Error><Type>{kind}</Type>{inner}</Error>"
            f"<RequestId>{identity}</RequestId></ErrorResponse>"
        ).encode()
