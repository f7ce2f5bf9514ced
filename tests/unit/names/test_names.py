"""What Longshore's own names mean, read from the store."""

from __future__ import annotations

from longshore.control.names.names import EndpointNames, LoadBalancerNames, PrivateNames
from longshore.domain.elbv2.balancer import LoadBalancer
from longshore.domain.names.resolving import DnsRecord, ZoneAnswer, soa
from longshore.store.journal import MemoryJournal
from longshore.store.store import Store
from tests.support.balancers import standing_at

NAME = "web-123.eu-west-1.elb.localhost"
START = soa("elb.localhost", 2)


def balancer(*addresses: str) -> LoadBalancer:
    return standing_at(*addresses, dns_name=NAME)


def test_a_load_balancers_name_means_its_addresses_from_everywhere_until_it_goes() -> None:
    store = Store([LoadBalancer], MemoryJournal())
    names = LoadBalancerNames(store)
    assert names.answer("vpc-1", NAME, "A") == ZoneAnswer(START, exists=False)
    with store.transaction() as tx:
        tx.put(balancer("172.31.0.4", "172.31.16.4"))
    found = ZoneAnswer(START, (DnsRecord(NAME, "A", 60, "172.31.0.4"), DnsRecord(NAME, "A", 60, "172.31.16.4")))
    assert names.answer("vpc-1", NAME, "A") == names.answer(None, NAME, "A") == found
    assert names.answer(None, NAME, "AAAA") == ZoneAnswer(START)
    with store.transaction() as tx:
        tx.delete(LoadBalancer, balancer().key)
    assert names.answer("vpc-1", NAME, "A") == ZoneAnswer(START, exists=False)


def test_the_same_names_end_in_internal_for_programs_that_keep_localhost_to_themselves() -> None:
    store = Store([LoadBalancer], MemoryJournal())
    with store.transaction() as tx:
        tx.put(balancer("172.31.0.4"))
    alias = "web-123.eu-west-1.elb.internal"
    expected = ZoneAnswer(soa("elb.internal", 2), (DnsRecord(alias, "A", 60, "172.31.0.4"),))
    assert LoadBalancerNames(store).answer(None, alias, "A") == expected


def test_other_names_under_localhost_are_whoever_asks_and_the_rest_is_not_ours() -> None:
    names = LoadBalancerNames(Store([LoadBalancer], MemoryJournal()))
    for name in ("localhost", "anything.localhost"):
        assert names.answer(None, name, "A") == ZoneAnswer(
            soa("localhost", 2), (DnsRecord(name, "A", 60, "127.0.0.1"),)
        )
        assert names.answer(None, name, "AAAA") == ZoneAnswer(
            soa("localhost", 2), (DnsRecord(name, "AAAA", 60, "::1"),)
        )
        assert names.answer(None, name, "MX") == ZoneAnswer(soa("localhost", 2))
    assert names.answer(None, "elb.localhost", "SOA") == ZoneAnswer(START, (START,))
    assert names.answer(None, "elb.localhost", "A") == ZoneAnswer(START)
    for name in ("", "notlocalhost", "localhost.example.com", "elb.internal.example.com"):
        assert names.answer(None, name, "A") is None


def test_private_names_say_themselves_which_address_they_mean() -> None:
    names = PrivateNames()
    for name, domain in (
        ("ip-172-31-0-4.ec2.internal", "ec2.internal"),
        ("ip-172-31-0-4.eu-west-1.compute.internal", "eu-west-1.compute.internal"),
    ):
        expected = ZoneAnswer(soa(domain, 2), (DnsRecord(name, "A", 60, "172.31.0.4"),))
        assert names.answer("vpc-1", name, "A") == expected
        assert names.answer("vpc-1", name, "AAAA") == ZoneAnswer(soa(domain, 2))
    for name in (
        "ip-172-31-0-400.ec2.internal",
        "ip-172-31-0.ec2.internal",
        "x.ip-172-31-0-4.ec2.internal",
        "db.ec2.internal",
        "ec2.internal",
    ):
        assert names.answer("vpc-1", name, "A") is None, name


def test_the_name_that_sdks_make_of_the_endpoint_in_tasks_is_its_address() -> None:
    names = EndpointNames("169.254.170.2")
    name = "data-169.254.170.2"
    assert names.answer(None, name, "A") == ZoneAnswer(soa(name, 2), (DnsRecord(name, "A", 60, "169.254.170.2"),))
    assert names.answer("vpc-1", name, "AAAA") == ZoneAnswer(soa(name, 2))
    for other in ("data-169.254.170.3", "x.data-169.254.170.2", "169.254.170.2"):
        assert names.answer(None, other, "A") is None
