"""Valid inputs and outputs made from botocore's shapes, and requests as botocore's own clients send them."""

from __future__ import annotations

import datetime as dt
import math
import random
import re
import re._parser as re_parser  # type: ignore[import-not-found]  # the standard library's, without stubs
import string
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import botocore.session
from botocore.awsrequest import AWSRequest, HeadersDict, prepare_request_dict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from longshore.wire.http import HttpRequest, HttpResponse
from longshore.wire.patterns import compiled, matches

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel

SERVICES = (
    *("ecs", "sts", "ec2", "logs", "elbv2", "servicediscovery", "route53", "iam", "secretsmanager", "ssm", "ecr"),
    *("cloudwatch", "application-autoscaling", "codedeploy", "eks", "kms", "resourcegroupstaggingapi", "s3"),
)

MAX_DEPTH = 5


@cache
def session() -> Any:
    return botocore.session.get_session()


@cache
def service_model(service: str) -> ServiceModel:
    return session().get_service_model(service)


class Sampler:
    """Makes values of shapes. `hostile` texts hold what encodings stumble over."""

    def __init__(self, seed: str, *, full: bool, for_header_safe: bool = False) -> None:
        self.random = random.Random(seed)
        self.full = full
        self.plain = for_header_safe

    def structure(self, shape: Any, depth: int = 0, *, sparse: bool = False) -> dict[str, Any]:
        if getattr(shape, "is_document_type", False):
            return {"some": ["document", 1, {"deep": True}]}
        names = list(shape.members)
        if getattr(shape, "is_tagged_union", False):
            names = [self.random.choice(names)]
        out: dict[str, Any] = {}
        for name in names:
            member = shape.members[name]
            if member.serialization.get("eventstream"):
                continue
            needed = name in shape.required_members or len(names) == 1
            if depth >= MAX_DEPTH and not needed:
                continue
            if needed or (self.full and not sparse) or self.random.random() < 0.3:
                out[name] = self.value(member, depth + 1)
        if not out and depth:  # forms and headers cannot tell an empty structure from none
            leaves = [n for n in names if shape.members[n].type_name not in ("structure", "list", "map")]
            for name in leaves[:1] or names[:1]:
                out[name] = self.value(shape.members[name], depth + 1)
        return out

    def value(self, shape: Any, depth: int) -> Any:
        return getattr(self, f"_{shape.type_name}")(shape, depth)

    def _structure(self, shape: Any, depth: int) -> Any:
        return self.structure(shape, depth)

    def _list(self, shape: Any, depth: int) -> Any:
        low, high = shape.metadata.get("min") or 0, shape.metadata.get("max")
        size = max(low, 1 if depth > 2 else self.random.choice((1, 2, 3)))
        size = size if high is None else min(size, high)
        return [self.value(shape.member, depth + 1) for _ in range(size)]

    def _map(self, shape: Any, depth: int) -> Any:
        size = max(shape.metadata.get("min") or 0, self.random.choice((1, 2)))
        size = min(size, shape.metadata.get("max") or size)
        out: dict[str, Any] = {}
        for _ in range(size * 4):
            if len(out) < size:
                out[self.value(shape.key, depth + 1)] = self.value(shape.value, depth + 1)
        return out

    def _string(self, shape: Any, _depth: int) -> str:
        allowed = shape.metadata.get("enum")
        if allowed:
            return str(self.random.choice(allowed))
        low, high = shape.metadata.get("min") or 0, shape.metadata.get("max")
        if shape.metadata.get("pattern"):
            return text_for(shape.metadata["pattern"], low, high)
        plain = self.plain or shape.serialization.get("location")
        alphabet = string.ascii_letters + ("" if plain else " <&>\"'+%=;,/é€😀\t")
        size = max(low, 6 if high is None else min(6, high))
        return "".join(self.random.choice(alphabet) for _ in range(size)) if size else ""

    _character = _string

    def _number(self, shape: Any, least: int, most: int) -> int:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        floor = least if low is None else max(least, math.ceil(low))
        roof = most if high is None else min(most, int(high))
        return self.random.choice((floor, roof, self.random.randint(floor, roof)))

    def _integer(self, shape: Any, _depth: int) -> int:
        return self._number(shape, -(2**31), 2**31 - 1)

    def _long(self, shape: Any, _depth: int) -> int:
        return self._number(shape, -(2**63), 2**63 - 1)

    def _double(self, shape: Any, _depth: int) -> float:
        low = shape.metadata.get("min")
        high = shape.metadata.get("max")
        if low is not None or high is not None:
            return float(self._number(shape, -1000, 1000))
        return self.random.choice((0.0, -1.5, 12345.6789, 1e-7, 3.5e20))

    def _float(self, shape: Any, _depth: int) -> float:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if low is not None or high is not None:
            return float(self._number(shape, -1000, 1000))
        return self.random.choice((0.0, -1.5, 0.25, 1024.0))  # exact in four bytes too

    def _boolean(self, _shape: Any, _depth: int) -> bool:
        return self.random.random() < 0.5

    def _blob(self, shape: Any, _depth: int) -> bytes:
        high = shape.metadata.get("max")
        size = max(shape.metadata.get("min") or 0, 5 if high is None else min(5, high))
        return self.random.randbytes(size)

    def _timestamp(self, shape: Any, _depth: int) -> float:
        whole = self.random.randint(0, 4_000_000_000)
        form = shape.serialization.get("timestampFormat", "")
        exact = form == "rfc822" or shape.serialization.get("location") in ("header", "querystring", "uri")
        return float(whole) if exact else whole + self.random.choice((0, 0.5, 0.125))


@cache
def text_for(source: str, low: int, high: int | None) -> str:
    """Grow a text that a model's pattern takes: walk the parsed pattern, try again until the checks agree."""
    pattern = compiled(source)
    if pattern is None:
        return "a" * max(low, 1)
    readable = re.sub(r"\\p\{\w+\}", "a-z", source) if "[" in source else re.sub(r"\\p\{\w+\}", "[a-z]", source)
    readable = (
        readable.replace(r"\w-\/", r"\w\-/").replace("[\\w-_]", r"[\w\-_]").replace(r"\uD800\uDC00-\uDBFF\uDFFF", "")
    )
    tree = re_parser.parse(readable)
    chance = random.Random(source)
    roof = high if high is not None else 10**9
    for attempt in range(3000):
        text = _grow(tree, chance, stretch=(0, 1, 3, low, 8, low // 2, max(0, low - 1))[attempt % 7])
        if low <= len(text) <= roof and matches(pattern, text):
            return text
    raise LookupError(f"no sample matches {source!r} with {low}..{high} characters")


def _grow(tree: Any, chance: random.Random, stretch: int) -> str:
    out = []
    for kind, value in tree:
        name = str(kind)
        if name == "LITERAL":
            out.append(chr(value))
        elif name == "NOT_LITERAL":
            out.append("a" if value != ord("a") else "b")
        elif name == "ANY":
            out.append("a")
        elif name == "IN":
            out.append(_one_of(value, chance))
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, inner = value
            count = least if most == least else min(int(most), least + chance.randint(0, 1) * stretch)
            out += [_grow(inner, chance, stretch) for _ in range(count)]
        elif name == "SUBPATTERN":
            out.append(_grow(value[3], chance, stretch))
        elif name == "BRANCH":
            out.append(_grow(chance.choice(value[1]), chance, stretch))
    return "".join(out)


def _one_of(items: Any, chance: random.Random) -> str:
    kinds = [str(kind) for kind, _ in items]
    if "NEGATE" in kinds:
        refused = {value for kind, value in items if str(kind) == "LITERAL"}
        return next(char for char in "a1_ -" if ord(char) not in refused)
    kind, value = chance.choice(items)
    if str(kind) == "LITERAL":
        return chr(value)
    if str(kind) == "RANGE":
        return chr(chance.choice((value[0], value[1], (value[0] + value[1]) // 2)))
    return {"CATEGORY_DIGIT": "7", "CATEGORY_SPACE": " "}.get(str(value), chance.choice("aZ_0"))


def client_request(
    service: str, operation: OperationModel, params: dict[str, Any], protocol: str, *, check: bool = True
) -> HttpRequest:
    """Return the request that botocore would send, unsigned but for the scope; without `check`, an invalid one too."""
    made = create_serializer(protocol, include_validation=check).serialize_to_request(
        _as_times(params, operation.input_shape), operation
    )
    prepare_request_dict(made, "http://127.0.0.1:4566")
    sent = AWSRequest(method=made["method"], url=made["url"], data=made["body"], headers=made["headers"]).prepare()
    parts = urlsplit(sent.url)
    body = sent.body or b""
    headers = {
        key.lower(): value.decode() if isinstance(value, bytes) else str(value) for key, value in sent.headers.items()
    }
    signing = service_model(service).signing_name
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential=AKID/20260131/eu-west-1/{signing}/aws4_request, SignedHeaders=host, Signature=0"
    )
    if not isinstance(body, bytes):
        body = body.encode() if isinstance(body, str) else bytes(body)
    return HttpRequest(sent.method, parts.path, parts.query, headers, body)


def _as_times(value: Any, shape: Any) -> Any:
    """Turn epoch floats to datetimes, as boto3's users write them."""
    if shape is None or value is None:
        return value
    kind = shape.type_name
    if kind == "timestamp":
        return dt.datetime.fromtimestamp(value, dt.UTC)
    if kind == "structure" and not getattr(shape, "is_document_type", False):
        return {name: _as_times(item, shape.members[name]) for name, item in value.items()}
    if kind == "list":
        return [_as_times(item, shape.member) for item in value]
    if kind == "map":
        return {key: _as_times(item, shape.value) for key, item in value.items()}
    return value


def client_view(protocol: str, response: HttpResponse, shape: Any) -> dict[str, Any]:
    """Return what botocore's parser makes of a response, with timestamps as epoch seconds."""
    body: Any = response.body
    payload = shape.serialization.get("payload") if shape is not None else None
    if payload and shape.members[payload].type_name == "blob":
        body = bytearray(body)  # botocore's clients hand a stream on as it is
    answer = {"status_code": response.status, "headers": HeadersDict(response.headers), "body": body}
    parsed: dict[str, Any] = create_parser(protocol).parse(answer, shape)
    parsed.pop("ResponseMetadata", None)
    return dict(plain(parsed))


def plain(value: Any) -> Any:
    """Normalise for comparison."""
    if isinstance(value, dt.datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value
