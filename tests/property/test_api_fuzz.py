"""Whatever is asked of any operation that is served: never a fault of ours, no change behind an error, and an answer
that AWS's own client can read.

Requests go through the real chain, without sockets. They are drawn from the service models: valid ones that name what
exists, ones at and beyond the bounds, ones with a wrong value anywhere, bodies with broken bytes, and no sense at all.
Each is drawn from a seed that a failure prints. LONGSHORE_FUZZ_ROUNDS=200 draws that many of each kind per operation.
"""

from __future__ import annotations

import json
import logging
import os
import random
import string
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import cbor2
import pytest
import structlog

from longshore.wire.http import HttpRequest
from tests.support.hostile import hostile_bodies
from tests.support.house import OPERATIONS, SERVED, TRUSTING, House, protocols, read
from tests.support.wire_samples import Sampler, client_request, service_model

ROUNDS = int(os.environ.get("LONGSHORE_FUZZ_ROUNDS", "12"))
LONGEST = 3000
LARGEST_ANSWER = 16 * 1024 * 1024
HOSTILE: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**31, -(2**63), 2**64, 1.5, -0.0, 1e300, "", " ", "\x00", "\ud7ff", "😀", "a" * LONGEST),
    *(
        ":",
        "/",
        "arn:aws:ecs",
        "arn:aws:ecs:::",
        "*",
        "%",
        "\n",
        "x:0",
        "x:999999999999",
        [],
        [None],
        [[]],
        {},
        {"": {}},
    ),
)
OBJECTS = (dict, list)


class Drawer(Sampler):
    """Draws inputs: valid ones, with the names of what exists; `wild`, around the bounds as well."""

    def __init__(self, key: str, known: dict[str, list[str]], *, full: bool, wild: bool) -> None:
        super().__init__(key, full=full)
        self._known = known
        self._wild = wild

    def structure(self, shape: Any, depth: int = 0, *, sparse: bool = False) -> dict[str, Any]:
        out = super().structure(shape, depth, sparse=sparse)
        for name in out:
            names = self._known.get(name.lower())
            if names and self.random.random() < 0.9:
                kind = shape.members[name].type_name
                if kind == "list" and shape.members[name].member.type_name == "string":
                    out[name] = self.random.sample(names, min(len(names), self.random.choice((1, 1, 2, 3))))
                elif kind == "string":
                    out[name] = self.random.choice(names)
        return out

    def _string(self, shape: Any, depth: int) -> str:
        if not self._wild or self.random.random() < 0.7:
            return super()._string(shape, depth)
        low, high = shape.metadata.get("min") or 0, shape.metadata.get("max") or 255
        size = self.random.choice((low - 1, low, high, high + 1, 0, 1))
        return "".join(self.random.choices(string.printable + "é😀", k=max(0, min(size, LONGEST))))

    def _integer(self, shape: Any, depth: int) -> int:
        if not self._wild:  # most have bounds that no model says
            low = shape.metadata.get("min") or 1
            return super()._integer(shape, depth) if self.random.random() < 0.1 else self.random.randint(low, low + 9)
        low, high = shape.metadata.get("min") or 0, shape.metadata.get("max") or 10
        return int(self.random.choice((low - 1, low, high, high + 1, 0, -1, 2**31 - 1, -(2**31))))

    def _list(self, shape: Any, depth: int) -> Any:
        made = super()._list(shape, depth)
        if not self._wild or self.random.random() < 0.8:
            return made
        high = shape.metadata.get("max") or 10
        size = self.random.choice((0, high, high + 1, 101))
        return (made * (size // max(1, len(made)) + 1))[: min(size, 200)]


def replace_somewhere(document: Any, chance: random.Random) -> Any:
    """The document with one value, anywhere in it, that does not belong there."""
    if not isinstance(document, OBJECTS) or not document or chance.random() < 0.15:
        return chance.choice(HOSTILE)
    if isinstance(document, list):
        at = chance.randrange(len(document))
        return [*document[:at], replace_somewhere(document[at], chance), *document[at + 1 :]]
    name = chance.choice(sorted(document))
    if chance.random() < 0.1:
        return {key: value for key, value in document.items() if key != name}
    return {**document, name: replace_somewhere(document[name], chance)}


def with_wrong_value(request: HttpRequest, protocol: str, chance: random.Random) -> HttpRequest:
    if protocol in {"rest-json", "rest-xml"} and (protocol == "rest-xml" or not request.body or chance.random() < 0.3):
        hostile = quote(str(chance.choice(HOSTILE)))
        parts = request.path.split("/")
        parts[chance.randrange(len(parts))] = hostile
        return chance.choice(
            (request._replace(path="/".join(parts)), request._replace(query=f"{request.query}&{hostile}"))
        )
    if protocol in {"query", "ec2"}:
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True)
        at = chance.randrange(len(pairs))
        name, value = pairs[at]
        hostile = str(chance.choice(HOSTILE))
        pairs[at] = chance.choice(((name, hostile), (f"{name}.{chance.randint(0, 3)}", value), (f"{name}.x", hostile)))
        return request._replace(body=urlencode(pairs).encode())
    if protocol == "smithy-rpc-v2-cbor":
        return request._replace(body=cbor2.dumps(replace_somewhere(cbor2.loads(request.body), chance)))
    return request._replace(body=json.dumps(replace_somewhere(json.loads(request.body), chance)).encode())


def with_broken_bytes(request: HttpRequest, _protocol: str, chance: random.Random) -> HttpRequest:
    body = bytearray(request.body or b"{}")
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(body) + 1)
        if chance.random() < 0.4:
            del body[at : at + chance.randint(1, 30)]
        else:
            pieces = (
                b"{",
                b"[" * 1500,
                b"null",
                b"-1e999",
                b"NaN",
                b"\xff",
                b"\x00",
                b"%",
                b"&",
                b'"',
                b"\xbf",
                b"\xfb",
            )
            body[at:at] = chance.choice((*pieces, chance.randbytes(3)))
    return request._replace(body=bytes(body))


def with_nonsense(request: HttpRequest, _protocol: str, chance: random.Random) -> HttpRequest:
    bodies = (b"", b"null", b"[]", b"0", b'""', b"\xa0", b"\xf6", b"{" * 4000, chance.randbytes(chance.randint(1, 300)))
    return request._replace(body=chance.choice(bodies))


def joined(example: Any, drawn: Any, chance: random.Random) -> Any:
    """The example with some of what was drawn, in it and beside it."""
    if isinstance(example, dict) and isinstance(drawn, dict):
        more = {name: value for name, value in drawn.items() if name not in example and chance.random() < 0.3}
        return {**{name: joined(value, drawn.get(name), chance) for name, value in example.items()}, **more}
    if isinstance(example, list) and isinstance(drawn, list) and drawn:
        return [joined(each, chance.choice(drawn), chance) for each in example]
    return example if drawn is None or chance.random() < 0.9 else drawn


def without(document: Any, path: list[str]) -> Any:
    """The document without the member at a path such as `containerDefinitions[].secrets`."""
    if isinstance(document, list):
        return [without(each, path) for each in document]
    if not isinstance(document, dict):
        return document
    name = path[0].removesuffix("[]")
    if len(path) == 1:
        return {key: value for key, value in document.items() if key != name}
    return {key: without(value, path[1:]) if key == name else value for key, value in document.items()}


Broken = Callable[[HttpRequest, str, random.Random], HttpRequest]
BREAKS: dict[str, Broken | None] = {
    "valid": None,
    "full": None,
    "bounds": None,
    "wrong value": with_wrong_value,
    "broken bytes": with_broken_bytes,
    "nonsense": with_nonsense,
}


def draw(house: House, service: str, operation: str, kind: str, key: str) -> tuple[HttpRequest, str]:
    """A request, and the protocol that it is in."""
    chance = random.Random(key)
    model = service_model(service).operation_model(operation)
    protocol = chance.choice(protocols(service))
    drawer = Drawer(key, house.known(), full=kind == "full" or chance.random() < 0.3, wild=kind == "bounds")
    params: Any = drawer.structure(model.input_shape) if model.input_shape is not None else {}
    if kind != "full":
        needed = {name: params[name] for name in model.input_shape.required_members} if params else {}
        params = (
            {**needed, **joined(house.example(service, operation), params, chance)} if chance.random() < 0.8 else params
        )
        for path in (*SERVED[service, operation].refuses, "DryRun"):
            if chance.random() < 0.95:
                params = without(params, path.split("."))
    request = client_request(service, model, params, protocol, check=False)
    broken = BREAKS[kind]
    return (broken(request, protocol, chance) if broken else request), protocol


async def check(house: House, service: str, operation: str, kind: str, key: str) -> int:
    """Ask, and hold the answer against what is promised."""
    request, protocol = draw(house, service, operation, kind, key)
    return await hold(house, service, operation, request, protocol, f"{kind}, seed {key!r}")


async def hold(house: House, service: str, operation: str, request: HttpRequest, protocol: str, what: str) -> int:
    """Ask what was drawn: no fault, an answer that botocore reads, and the whole state as it was behind an error."""
    before = house.mark()
    answer = await house.chain.answer(request, TRUSTING)
    about = (
        f"{service} {operation}, {what}, {protocol}: {request.body[:2000]!r} -> {answer.status} {answer.body[:2000]!r}"
    )
    assert answer.status < 500, about
    assert len(answer.body) < LARGEST_ANSWER, about
    try:
        parsed = read(protocol, answer, service_model(service).operation_model(operation))
    except Exception as error:
        raise AssertionError(f"botocore cannot read the answer ({error!r}): {about}") from error
    if answer.status >= 300:
        assert house.mark() == before, f"changed behind an error: {about}"
        assert parsed["Error"]["Code"], about
        assert "InternalFailure" not in parsed["Error"]["Code"], about
    else:
        assert "Error" not in parsed, about
    return answer.status


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield House()
    structlog.reset_defaults()


@pytest.mark.parametrize(("service", "operation"), OPERATIONS, ids=[f"{s}-{o}" for s, o in OPERATIONS])
async def test_operation_survives_what_the_model_can_draw(house: House, service: str, operation: str) -> None:
    await house.start_again()
    for number in range(ROUNDS):
        for kind in BREAKS:
            await check(house, service, operation, kind, f"{operation} {kind} {number}")


@pytest.mark.parametrize(("service", "operation"), OPERATIONS, ids=[f"{s}-{o}" for s, o in OPERATIONS])
async def test_operation_survives_bodies_made_to_hurt(house: House, service: str, operation: str) -> None:
    await house.start_again()
    model = service_model(service).operation_model(operation)
    for protocol in protocols(service):
        for number in range(max(1, ROUNDS // 12)):
            key = f"{operation} {protocol} {number}"
            drawer = Drawer(key, house.known(), full=True, wild=False)
            drawn = drawer.structure(model.input_shape) if model.input_shape is not None else {}
            request = client_request(
                service, model, {**drawn, **house.example(service, operation)}, protocol, check=False
            )
            for name, hurting in hostile_bodies(request, protocol, random.Random(key)):
                await hold(house, service, operation, hurting, protocol, f"{name}, seed {key!r}")


@pytest.mark.parametrize("number", range(max(1, ROUNDS // 4)))
async def test_operations_survive_one_another(house: House, number: int) -> None:
    """Long sequences, mostly valid: what one operation leaves, the next one meets."""
    await house.start_again()
    chance = random.Random(number)
    answered = 0
    for step in range(150):
        service, operation = chance.choice(OPERATIONS)
        kind = chance.choice(("valid", "valid", "valid", "full", "bounds", "wrong value"))
        answered += await check(house, service, operation, kind, f"{number} {step}") == 200
    assert answered > 20, "Hardly anything was valid, so hardly anything was tried."
