"""Bodies that are made to hurt, per protocol: nested without end, huge, sparse, doubled, not a number, not text.

`hostile_bodies` builds them around a valid request, so that what hurts stands where something is expected.
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import cbor2

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from longshore.wire.http import HttpRequest

HERE = "@here@"
DEEP = 100_000
JSON_VALUES: dict[str, bytes] = {
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep as the parser allows": b"[" * 900 + b"]" * 900,
    "digits without end": b"9" * DEEP,
    "digits of a double": b"9" * 300,
    "fraction without end": b"0." + b"1" * DEEP,
    "beyond a double": b"1e999999999",
    "below a double": b"1e-999999999",
    "minus zero": b"-0.0",
    "not a number": b"NaN",
    "infinity": b"-Infinity",
    "key twice": b'{"a": 1, "a": 2}',
    "key twice, escaped": b'{"name": 1, "n\\u0061me": 2}',
    "high surrogate alone": b'"\\ud800"',
    "low surrogate alone": b'"\\udc00 and more"',
    "surrogates in a key": b'{"\\ud800": 1}',
    "invalid UTF-8": b'"\xc3\x28 \xff"',
    "surrogate in UTF-8": b'"\xed\xa0\x80"',
    "overlong UTF-8": b'"\xc0\x80"',
    "escaped NUL": b'"\\u0000"',
    "quotes without end": b'"' + b'\\"' * DEEP + b'"',
    "backslashes without end": b'"' + b"\\\\" * DEEP + b'"',
    "long list": b"[" + b'"x",' * DEEP + b'"x"]',
    "long list of nulls": b"[" + b"null," * DEEP + b"null]",
    "many keys": b"{" + b",".join(b'"k%d":"v"' % number for number in range(20_000)) + b"}",
    "comment": b"1 /* one */",
    "single quotes": b"'x'",
    "nothing": b"",
}
CBOR_VALUES: dict[str, bytes] = {
    "deep lists": b"\x81" * DEEP + b"\xf6",
    "deep lists without end": b"\x9f" * DEEP,
    "deep maps": b"\xa1\x61a" * DEEP + b"\xf6",
    "deep tags": b"\xc1" * DEEP + b"\x01",
    "list of 2^64": b"\x9b" + b"\xff" * 8,
    "list of 2^31": b"\x9a\x7f\xff\xff\xff",
    "map of 2^64": b"\xbb" + b"\xff" * 8,
    "text of 2^64": b"\x7b" + b"\xff" * 8,
    "text of 2^40": b"\x7b\x00\x00\x01\x00\x00\x00\x00\x00",
    "bytes of 2^31": b"\x5a\x7f\xff\xff\xff",
    "text in pieces": b"\x7f" + b"\x61a" * 1000 + b"\xff",
    "text in pieces of bytes": b"\x7f\x41a\xff",
    "list without end that ends": b"\x9f" + b"\x61x" * 20_000 + b"\xff",
    "map that ends early": b"\xbf\x61a\xff",
    "end alone": b"\xff",
    "big number": b"\xc2\x59\x03\xe8" + b"\xff" * 1000,
    "decimal with a huge exponent": b"\xc4\x82\x1a\x7f\xff\xff\xff\x01",
    "regular expression": b"\xd8\x23\x68(a+)+$()",
    "shared reference": b"\xd8\x1c\x81\xd8\x1d\x00",
    "time that is not a number": b"\xc1\xfb\x7f\xf8" + b"\x00" * 6,
    "time beyond all years": b"\xc1\x1b" + b"\xff" * 8,
    "time as text": b"\xc0\x61x",
    "not a number": b"\xf9\x7e\x00",
    "infinity": b"\xf9\xfc\x00",
    "least integer": b"\x3b" + b"\xff" * 8,
    "undefined": b"\xf7",
    "simple value": b"\xf8\xff",
    "reserved": b"\x1c",
    "invalid UTF-8": b"\x62\xc3\x28",
    "number as key": b"\xa1\x01\x01",
    "list as key": b"\xa1\x81\x01\x01",
    "key twice": b"\xa2\x61a\x01\x61a\x02",
    "nothing": b"",
}
XML_TEXTS: dict[str, bytes] = {
    "deep elements": b"<a>" * DEEP + b"</a>" * DEEP,
    "many elements": b"<a/>" * DEEP,
    "attribute twice": b'<a b="1" b="2"/>',
    "many attributes": b"<a " + b" ".join(b'b%d=""' % number for number in range(20_000)) + b"/>",
    "entity": b"&lol;",
    "NUL": b"\x00",
    "NUL by number": b"&#0;",
    "no character": b"&#xffffffff;",
    "invalid UTF-8": b"\xff\xfe",
    "open": b"<a><b>",
    "instruction": b"<?php x ?>",
    "marked section": b"<![CDATA[" + b"]" * 20_000,
    "comment": b"<!-- -- -->",
    "digits without end": b"9" * DEEP,
}
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + at, b"&%c;" % (97 + at) * 10) for at in range(9))
    + b"]><x>&j;</x>"
)
XML_DOCUMENTS: dict[str, bytes] = {
    "entity bomb": BOMB,
    "entity from a file": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    "DTD from elsewhere": b'<!DOCTYPE x SYSTEM "http://localhost:1/x"><x/>',
    "odd encoding": b'<?xml version="1.0" encoding="utf-7"?><x/>',
    "no encoding": b'<?xml version="1.0" encoding="x"?><x/>',
    "two roots": b"<x/><x/>",
    "namespaces": b"<x " + b" ".join(b'xmlns:n%d="u"' % number for number in range(5000)) + b"/>",
    "UTF-16 without a mark": "<x>é</x>".encode("utf-16-le"),
}


def placed(document: Any, chance: random.Random) -> Any:
    """The document with HERE in the place of one value, anywhere in it."""
    if isinstance(document, dict) and document and chance.random() < 0.9:
        name = chance.choice(sorted(document))
        return {**document, name: placed(document[name], chance)}
    if isinstance(document, list) and document and chance.random() < 0.9:
        at = chance.randrange(len(document))
        return [*document[:at], placed(document[at], chance), *document[at + 1 :]]
    return HERE


def hostile_bodies(request: HttpRequest, protocol: str, chance: random.Random) -> Iterator[tuple[str, HttpRequest]]:
    """Named requests like the one given, which is valid."""
    if protocol in {"query", "ec2"}:
        for name, pairs in form_pairs(request.body, chance):
            yield name, request._replace(body=request.body + b"&" + pairs)
    elif protocol == "smithy-rpc-v2-cbor":
        for name, value in CBOR_VALUES.items():
            body = cbor2.dumps(placed(cbor2.loads(request.body), chance))
            yield name, request._replace(body=body.replace(cbor2.dumps(HERE), value))
    elif protocol == "rest-xml":
        for name, document in XML_DOCUMENTS.items():
            yield name, request._replace(body=document)
        for name, text in XML_TEXTS.items():
            start = chance.choice([at for at, byte in enumerate(request.body) if byte == ord(">")] or [-1]) + 1
            yield name, request._replace(body=request.body[:start] + text + request.body[start:])
    else:
        for name, value in JSON_VALUES.items():
            text = json.dumps(placed(json.loads(request.body or b"{}"), chance)).encode()
            yield name, request._replace(body=text.replace(json.dumps(HERE).encode(), value))
    yield from gzipped(request)


def form_pairs(form: bytes, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """Named pairs to add to a form. They take a list's name from it where there is one."""
    names = [pair.partition(b"=")[0] for pair in form.split(b"&")]
    lists = [name for name in names if b".1" in name]
    name = chance.choice(lists or names)
    stem = name[: name.index(b".1")] if lists else name
    yield "index far out", b"%s.999999999=x&%s.member.999999999=x" % (stem, stem)
    yield "index beyond all", b"%s.%s=x" % (stem, b"9" * 5000)
    yield "index nought", b"%s.0=x&%s.00=y" % (stem, stem)
    yield "index below nought", b"%s.-1=x" % stem
    yield "index of other digits", b"%s.%%D9%%A1=x&%s.%%C2%%B2=x" % (stem, stem)
    yield "index twice", b"%s.7=x&%s.07=y" % (stem, stem)
    yield "sparse list", b"&".join(b"%s.%d=x" % (stem, number * 99_991) for number in range(1, 5000))
    yield "long list", b"&".join(b"%s.%d=x" % (stem, number) for number in range(2, 19_000))
    yield "long list of structures", b"&".join(b"%s.%d.Name=x" % (stem, number) for number in range(2, 19_000))
    yield "more pairs than are taken", b"&".join(b"A%d=x" % number for number in range(25_000))
    yield "deep names", b"A" + b".1" * 63 + b"=x&A" + b".1" * 64 + b"=x"
    yield "names deep without end", b"A" + b".1" * DEEP + b"=x"
    yield "deep in the list", stem + b".1" * 60 + b"=x"
    yield "value and structure", b"Zz=x&Zz.1=y"
    yield "structure and value", b"Zz.1=x&Zz=y"
    yield "name twice", b"%s=x&%s=y" % (name, name)
    yield "no name", b"=x&==&.=x&..=x"
    yield "dots", b"%s.=x&%s..1=x&.%s=x" % (stem, stem, stem)
    yield "broken escapes", b"A=%&B=%f&C=%zz&%=x"
    yield "invalid UTF-8", b"A=%ff%fe&%c3=x"
    yield "raw bytes", b"A=\xff\xfe"
    yield "NUL", b"A=%00&%00=x"
    yield "surrogate", b"A=%ed%a0%80"
    yield "long value", b"A=" + b"x" * 2_000_000
    yield "long escapes", b"A=" + b"%41" * 500_000
    yield "separators without end", b"&" * 19_000
    yield "other action", b"Action=Other&Version=1"


def gzipped(request: HttpRequest) -> Iterator[tuple[str, HttpRequest]]:
    """The request as if it were compressed: a bomb, cut short, not compressed at all, several times."""
    squeezed = gzip.compress(request.body)
    bomb = gzip.compress(b"A=" + b" " * 40_000_000, compresslevel=9)
    for name, encoding, body in (
        ("gzip", "gzip", squeezed),
        ("gzip bomb", "gzip", bomb),
        ("gzip in gzip", "gzip, gzip", gzip.compress(bomb)),
        ("gzip cut short", "gzip", squeezed[:-9]),
        ("gzip that is none", "gzip", request.body),
        ("gzip and more", "gzip", squeezed + b"more"),
        ("encodings without end", "gzip, " * 5000 + "gzip", squeezed),
        ("unknown encoding", "br", squeezed),
    ):
        yield name, request._replace(headers={**request.headers, "content-encoding": encoding}, body=body)
