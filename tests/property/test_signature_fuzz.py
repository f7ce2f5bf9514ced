"""Every part of a signature changed, in the header and presigned, in every protocol that is served: refused with that
protocol's own error, never a fault, and never carried out.

The requests are good ones of botocore's own signer. LONGSHORE_FUZZ_ROUNDS draws more changes of each.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import random
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, unquote

import pytest
import structlog
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from longshore.api.callers.auth import Listener
from longshore.api.services import SERVICES
from longshore.wire.credential import scope_of
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest
from longshore.wire.sigv4 import canonical_path, canonical_query, verify
from tests.support.house import REGION, House, protocols, read
from tests.support.wire_samples import Sampler, client_request, service_model

CHECKING = Listener("fuzz", signatures=True)
ROUNDS = int(os.environ.get("LONGSHORE_FUZZ_ROUNDS", "12"))
NOW = 1_700_000_000.0
STAMP = "20231114T221320Z"
DROPPED = {"authorization", "content-length"}
SPOKEN = [(service.name, protocol) for service in SERVICES for protocol in protocols(service.name)]
PIECES = (
    *("", "/", "//", "=", ",", ";", " ", "\t", "\x00", "\xff", "%", "%00", "%ff", "+", "&", "..", "-1", "0", "null"),
    *("Credential=", "SignedHeaders=", "Signature=", "AWS4-HMAC-SHA256", "aws4_request", "host", "a" * 5000),
    *("99999999T999999Z", "00000000T000000Z", "20231114T221320", "Tue, 14 Nov 2023 22:13:20 GMT", "20240114T221320Z"),
    *("ASIA", "AKIA", "ASIA" + "A" * 16, "/" * 5000, ";" * 5000, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "١٢٣"),
)
PARTS = ("authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "date", "host", "path", "query")


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield House()
    structlog.reset_defaults()


def signed(
    house: House, service: str, protocol: str, *, presigned: bool, region: str = REGION, operation: str = ""
) -> HttpRequest:
    """A request that is carried out, with botocore's own signature; the clock of the house stands at its date."""
    name = operation or read_only(service)
    model = service_model(service).operation_model(name)
    drawn = Sampler(name, full=False).structure(model.input_shape) if model.input_shape is not None else {}
    needed = {key: drawn[key] for key in model.input_shape.required_members} if drawn else {}
    plain = client_request(service, model, needed, protocol, check=False)
    if presigned and protocol in {"query", "ec2"}:
        plain = plain._replace(method="GET", query=plain.body.decode(), body=b"")
    headers = {key: value for key, value in plain.headers.items() if key not in DROPPED}
    pair = house.credentials.root()
    signer = SigV4QueryAuth if presigned else SigV4Auth
    query = f"?{plain.query}" if plain.query else ""
    # botocore moves what it presigns from the body to the query, and takes every body for JSON.
    data = {} if presigned and "cbor" in protocol else plain.body
    request = AWSRequest(plain.method, f"http://localhost{plain.path}{query}", headers=headers, data=data)
    request.context["timestamp"] = STAMP
    signing_name = service_model(service).signing_name
    sign(signer(Keys(pair.access_key_id, pair.secret_access_key), signing_name, region), request)
    path, _, query = request.url.removeprefix("http://localhost").partition("?")
    sent = {key.lower(): str(value) for key, value in request.headers.items()} | {"host": "localhost"}
    return HttpRequest(plain.method, path, query, sent, b"" if presigned else plain.body)


def sign(signer: Any, request: AWSRequest) -> None:
    """As of STAMP."""
    moment = dt.datetime.strptime(STAMP, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda: moment.replace(tzinfo=None))
        signer.add_auth(request)


def read_only(service: str) -> str:
    """An operation of a service that only reads, and asks for as little as any."""
    served = next(each for each in SERVICES if each.name == service).operations

    def needed(name: str) -> tuple[bool, int, str]:
        shape = service_model(service).operation_model(name).input_shape
        return not name.startswith(("Describe", "List", "Get")), len(shape.required_members) if shape else 0, name

    return min(served, key=needed)


def changed(text: str, chance: random.Random) -> str:
    """A text with one thing changed: another letter, a piece lost, doubled, moved, put in, or all else instead."""
    at, piece = chance.randrange(len(text) + 1), chance.choice(PIECES)
    end = min(len(text), at + chance.choice((1, 1, 3, 20)))
    return chance.choice(
        (
            piece,
            text[:at] + piece + text[at:],
            text[:at] + piece + text[end:],
            text[:at] + text[end:],
            text[:at] + text[at:end] * 2 + text[end:],
            text[:at] + text[at:end].swapcase() + text[end:],
            text[:at] + chr(chance.randrange(256)) + text[at + 1 :],
            text + "," + text,
            text * 50,
        )
    )


def with_change(request: HttpRequest, chance: random.Random) -> HttpRequest:
    """The request with a change somewhere in what its signature stands on."""
    part = chance.choice([name for name in PARTS if name != "query" or request.query])
    if part == "path":
        return request._replace(path="/" + changed(request.path, chance).replace("?", ""))
    if part == "query":
        pairs = [pair.partition("=") for pair in request.query.split("&")]
        at = chance.randrange(len(pairs))
        name, _, value = pairs[at]
        text = quote(changed(unquote(value), chance)) if chance.random() < 0.7 else changed(value, chance)
        pairs[at] = (name, "=", text)
        return request._replace(query="&".join("".join(pair) for pair in pairs))
    value = changed(request.headers.get(part, ""), chance)
    headers = {**request.headers, part: value.encode("utf-8")[:60_000].decode("latin-1")}
    if chance.random() < 0.1:
        del headers[part]
    return request._replace(headers=headers)


def meaning(request: HttpRequest) -> tuple[Any, ...]:
    """What a request that is carried out means, however it is written: all of it must be what was signed."""
    query = [pair for pair in canonical_query(request.query).split("&") if not pair.startswith("X-Amz-SignedHeaders=")]
    names = ("host", "x-amz-target", "content-type") + (() if "X-Amz-Date" in request.query else ("x-amz-date",))
    headers = [request.headers.get(name, "").split() for name in names]
    return request.method, canonical_path(request.path, plain=False), query, headers, scope_of(request), request.body


@pytest.mark.parametrize("presigned", [False, True], ids=["header", "presigned"])
@pytest.mark.parametrize(("service", "protocol"), SPOKEN, ids=["-".join(pair) for pair in SPOKEN])
async def test_changed_signature_is_refused(house: House, service: str, protocol: str, presigned: bool) -> None:
    await house.start_again()
    house.clock.time = NOW
    request = signed(house, service, protocol, presigned=presigned)
    whole = await house.chain.answer(request, CHECKING)
    assert whole.status != 403, whole
    assert b"ignature" not in whole.body, whole
    model = service_model(service).operation_model(read_only(service))
    refused = 0
    for number in range(ROUNDS * 25):
        house.clock.time = NOW
        key = f"{service} {protocol} {presigned} {number}"
        other = with_change(request, random.Random(key))
        before = house.mark()
        answer = await house.chain.answer(other, CHECKING)
        about = f"seed {key!r}: {other} -> {answer}"
        assert answer.status < 500, about
        if answer.status < 300:
            assert meaning(other) == meaning(request), f"carried out: {about}"
            continue
        assert len(answer.body) < 10_000, about
        refused += 1
        assert house.mark() == before, about
        assert read(protocol, answer, model)["Error"]["Code"], about
    assert refused > ROUNDS * 10


@pytest.mark.parametrize("place", ["first", "last"])
async def test_parameter_of_the_header_given_twice_is_refused(house: House, place: str) -> None:
    """Else the region could be read from one credential and the signature checked against the other."""
    house.clock.time = NOW
    request = signed(house, "ecs", "json", presigned=False)
    authorization = request.headers["authorization"]
    credential = authorization.partition("Credential=")[2].partition(",")[0]
    elsewhere = credential.replace(REGION, "us-west-2")
    pair = [elsewhere, credential] if place == "first" else [credential, elsewhere]
    twice = authorization.replace(credential, ", Credential=".join(pair))
    answer = await house.chain.answer(request._replace(headers={**request.headers, "authorization": twice}), CHECKING)
    assert answer.status == 400
    assert b"given twice" in answer.body


async def test_region_is_the_one_that_was_signed(house: House) -> None:
    """Also where the query spells the names of its parameters in another way."""
    await house.start_again()
    house.clock.time = NOW
    zones = "DescribeAvailabilityZones"
    request = signed(house, "ec2", "ec2", presigned=True, region="us-west-2", operation=zones)
    odd = request.query.replace("X-Amz-Credential=", "X%2DAmz-Credential=")
    for query in (request.query, odd):
        house.clock.time = NOW
        answer = await house.chain.answer(request._replace(query=query), CHECKING)
        assert answer.status == 200, answer
        assert b"us-west-2" in answer.body


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    authorization=st.text(st.characters(max_codepoint=255), max_size=300),
    date=st.text(st.characters(max_codepoint=255), max_size=60),
    token=st.text(st.characters(max_codepoint=255), max_size=60),
)
@example(
    authorization="AWS4-HMAC-SHA256 Credential=a/2/b/c/aws4_request,SignedHeaders=a,Signature=a", date="0", token=""
)
def test_texts_are_no_signatures(authorization: str, date: str, token: str) -> None:
    headers = {"authorization": authorization, "date": date, "x-amz-security-token": token}
    claims = "Credential=A/20231114/r/s/aws4_request, SignedHeaders=date;host, Signature=" + "0" * 64
    checks: list[Callable[[], object]] = [
        lambda: verify(HttpRequest("GET", "/", "", headers, b""), lambda _key: "secret", NOW),
        lambda: verify(
            HttpRequest("GET", "/", "", {**headers, "authorization": f"AWS4-HMAC-SHA256 {claims}"}, b""),
            lambda _key: "secret",
            NOW,
        ),
    ]
    for check in checks:
        with pytest.raises(ApiError):
            check()
