"""DNS packets made to hurt: good questions, and the same bent out of shape by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.edns
import dns.message
import dns.update

if TYPE_CHECKING:
    import random


def _packets() -> list[bytes]:
    plain = dns.message.make_query("web-1.us-east-1.elb.localhost", "A")
    edns = dns.message.make_query("Example.COM", "AAAA", use_edns=0, payload=4096, want_dnssec=True)
    cookie = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"12345678")
    options = dns.message.make_query("_http._tcp.example.com", "SRV", use_edns=0, options=[cookie])
    several = dns.message.make_query("a.test", "A")
    several.question.append(several.question[0])
    root = dns.message.make_query(".", "NS")
    update = dns.update.UpdateMessage("example.com")
    update.add("a", 300, "A", "10.0.0.1")
    answer = dns.message.make_response(plain)
    return [message.to_wire() for message in (plain, edns, options, several, root, update, answer)]


PACKETS = _packets()
_POINTER = (b"\xc0\x0c", b"\xc0\x0d", b"\xff\xff")


def bent(chance: random.Random) -> bytes:
    """One of the packets, as it is or with bytes changed, cut, added, or replaced by pointers; or noise alone."""
    if chance.random() < 0.05:
        return chance.randbytes(chance.randrange(300))
    packet = bytearray(chance.choice(PACKETS))
    for _ in range(chance.randrange(4)):
        place = chance.randrange(len(packet) + 1)
        bend = chance.randrange(6)
        if bend == 0:
            packet[place : place + 1] = chance.randbytes(1)
        elif bend == 1:
            del packet[place:]
        elif bend == 2:
            packet += chance.randbytes(chance.randrange(40))
        elif bend == 3:
            packet[place : place + 2] = chance.choice(_POINTER)
        elif bend == 4:
            packet[4:12] = bytes(chance.choice((0, 0, 0, 1, 2, 255)) for _ in range(8))
        else:
            packet[place:place] = packet[: chance.randrange(len(packet) + 1)]
    return bytes(packet)
