"""The firewall of this host (ports.Firewall): one table of nftables, changed by one transaction of `nft` at a time.

Packets from one container to another on the same bridge come by nftables only where br_netfilter hands them over:
`guard` sees to that, for each of our bridges and no other. The table stays when Longshore stops, since tasks run on;
it goes with the last address that it guards.
"""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from longshore.domain.ec2.firewall import Ruleset, RulesetChange
from longshore.drivers.firewall import render
from longshore.drivers.firewall.book import Book, BridgeOf, book_of
from longshore.drivers.ports import Permanent, Retryable
from longshore.drivers.program import find, run

log = logging.getLogger(__name__)

ALL_BRIDGES = tuple(
    Path(f"/proc/sys/net/bridge/bridge-nf-call-{name}") for name in ("iptables", "ip6tables", "arptables")
)
"""Whether br_netfilter sees what crosses any bridge; there while it is loaded."""
HANDED_OVER = ("nf_call_iptables", "1", "nf_call_ip6tables", "1")
AGAIN_S = 2.0


class NftFirewall:
    """The table of one Longshore. `bridge_of` gives the device of a VPC's bridge."""

    def __init__(self, instance_id: str, bridge_of: BridgeOf) -> None:
        self.table = f"inet longshore-{instance_id}"
        self._bridge_of = bridge_of
        self._book: Book | None = None
        """None: what is in force is not known."""
        self._guarded: set[str] = set()
        self._turn = asyncio.Lock()
        self._open = False

    async def open(self) -> None:
        """See ports.Firewall."""
        if find("nft") is None:
            raise Permanent("The program `nft` is not on this host: install the package nftables.")
        own = f"{self.table}-try"
        refusal = await _nft([*render.base(own), f"delete table {own}"])
        if refusal:
            raise Permanent(
                f"This host refuses nftables' rules ({refusal}): Longshore needs root or NET_ADMIN, and a kernel with "
                "nf_tables and nf_conntrack."
            )
        await _load_br_netfilter()
        self._open = True

    async def guard(self, device: str) -> None:
        """Have the packets that cross a bridge go by the table. Raises Permanent. Nothing happens before `open`."""
        if not self._open:
            return
        refusal = await _refusal("ip", "link", "set", "dev", device, "type", "bridge", *HANDED_OVER)
        if refusal:
            raise Permanent(f"This host can't filter what crosses the bridge {device}: {refusal}.")
        self._guarded.add(device)

    async def replace(self, wanted: Ruleset) -> None:
        """See ports.Firewall."""
        async with self._turn:
            await self._replace(book_of(wanted, self.table, self._bridge_of))

    async def change(self, change: RulesetChange) -> None:
        """See ports.Firewall."""
        async with self._turn:
            book = self._book
            if book is None:
                raise Retryable("It is not known what the firewall holds.", 0.0)
            was_empty = book.empty
            commands = book.take(change)
            if not commands:
                return
            if book.empty or was_empty:
                await self._replace(book)
                return
            refusal = await _nft(commands)
            if refusal:
                log.warning("the firewall is made anew, because nft refused a change of it: %s", refusal)
                await self._replace(book)

    async def _replace(self, book: Book) -> None:
        self._book = None
        commands = [f"add table {self.table}", f"delete table {self.table}"] if book.empty else book.whole()
        refusal = await _nft(commands)
        if refusal:
            raise Retryable(f"nft refused the security groups' rules: {refusal}", AGAIN_S)
        self._book = book

    async def intact(self) -> bool:
        """See ports.Firewall."""
        async with self._turn:
            for device in sorted(self._guarded):
                if await _refusal("ip", "link", "set", "dev", device, "type", "bridge", *HANDED_OVER):
                    self._guarded.discard(device)  # it is gone; another one of its name is guarded when it comes
            if self._book is None:
                return False
            if self._book.empty:
                return True
            return _stands(self.table, await _listing())

    async def remove(self) -> None:
        """See ports.Firewall."""
        async with self._turn:
            self._book = None
            if find("nft") is not None:
                await _nft([f"add table {self.table}", f"delete table {self.table}"])


async def _listing() -> str:
    """All tables, without the elements of sets: what many addresses would make slow."""
    return (await run("nft", "--stateless", "--terse", "list", "ruleset")).output


def _stands(table: str, listing: str) -> bool:
    """Whether a table has the chains where packets come in, and each still ends as it should."""
    _, found, rest = listing.partition(f"table {table} {{\n")
    chains = rest.partition("\n}")[0].split("\tchain ")
    whole = {chain.partition(" ")[0] for chain in chains if chain.rstrip().removesuffix("}").rstrip().endswith("drop")}
    return bool(found) and whole >= render.CHAINS.keys()


async def _load_br_netfilter() -> None:
    """Have br_netfilter in the kernel. Where it was not, bridges other than ours stay as they are."""
    if _has_br_netfilter():
        return
    refusal = await _refusal("modprobe", "br_netfilter")
    if not _has_br_netfilter():
        raise Permanent(
            f"The kernel's module br_netfilter can't be loaded ({refusal or 'it is not there'}): without it, packets "
            "from one container to another on a bridge pass by every rule."
        )
    for setting in ALL_BRIDGES:
        setting.write_text("0\n")


def _has_br_netfilter() -> bool:
    return ALL_BRIDGES[0].exists()


async def _nft(commands: Sequence[str]) -> str:
    """One transaction: empty where it is done, else what nft said."""
    return await _refusal("nft", "-f", "-", given="\n".join([*commands, ""]))


async def _refusal(*words: str, given: str = "") -> str:
    """Why a program failed, in a line; empty where it didn't."""
    try:
        said = await run(*words, given=given)
    except OSError as error:
        return f"{words[0]}: {error.strerror}"
    return (said.errors or f"code {said.code}").partition("\n")[0] if said.code else ""
