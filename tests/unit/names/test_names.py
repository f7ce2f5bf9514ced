"""What Longshore's own names mean, read from the store."""

from __future__ import annotations

from longshore.control.names.names import EndpointNames, LoadBalancerNames, PrivateNames, ReverseNames
from longshore.domain.ec2.network import Vpc
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


def vpc(vpc_id: str, cidr: str, region: str = "us-east-1", machine_cidr: str = "") -> Vpc:
    return Vpc(account="123456789012", region=region, vpc_id=vpc_id, cidr=cidr, machine_cidr=machine_cidr)


def reverse_names(*vpcs: Vpc) -> ReverseNames:
    store = Store([Vpc], MemoryJournal())
    with store.transaction() as tx:
        for each in vpcs:
            tx.put(each)
    return ReverseNames(store)


def test_an_address_of_the_vpc_has_its_private_name_and_other_private_ones_have_none() -> None:
    names = reverse_names(vpc("vpc-1", "10.0.0.0/16"), vpc("vpc-2", "10.0.0.0/16", "eu-west-1", "10.9.0.0/24"))
    start = soa("10.in-addr.arpa", 2)
    for vpc_id, name, private in (
        ("vpc-1", "5.1.0.10.in-addr.arpa", "ip-10-0-1-5.ec2.internal"),
        ("vpc-2", "7.0.9.10.in-addr.arpa", "ip-10-9-0-7.eu-west-1.compute.internal"),
    ):
        assert names.answer(vpc_id, name, "PTR") == ZoneAnswer(start, (DnsRecord(name, "PTR", 60, f"{private}."),))
        assert names.answer(vpc_id, name, "A") == ZoneAnswer(start)
        assert names.answer(None, name, "PTR") == names.answer(vpc_id, name, "PTR")
    for name in (
        "7.0.9.10.in-addr.arpa",
        "x.in-addr.arpa.10.in-addr.arpa",
        "1.5.1.0.10.in-addr.arpa",
        "300.10.in-addr.arpa",
    ):
        assert names.answer("vpc-1", name, "PTR") == ZoneAnswer(start, exists=False), name
    assert names.answer("vpc-1", "0.10.in-addr.arpa", "PTR") == ZoneAnswer(start)
    assert names.answer("vpc-1", "10.in-addr.arpa", "SOA") == ZoneAnswer(start, (start,))
    for name, zone in (("1.0.31.172", "31.172"), ("4.3.168.192", "168.192"), ("168.192", "168.192")):
        found = names.answer("vpc-1", f"{name}.in-addr.arpa", "PTR")
        assert found is not None
        assert (found.soa, found.records) == (soa(f"{zone}.in-addr.arpa", 2), ())


def test_addresses_of_a_vpc_outside_of_private_ranges_have_names_too_and_all_else_is_asked_elsewhere() -> None:
    names = reverse_names(vpc("vpc-1", "100.64.0.0/16"))
    found = names.answer("vpc-1", "5.1.64.100.in-addr.arpa", "PTR")
    assert found is not None
    assert [record.data for record in found.records] == ["ip-100-64-1-5.ec2.internal."]
    for vpc_id, name in (
        ("vpc-1", "8.8.8.8.in-addr.arpa"),
        ("vpc-1", "172.in-addr.arpa"),
        ("vpc-1", "1.0.32.172.in-addr.arpa"),
        ("vpc-1", "in-addr.arpa"),
        ("vpc-1", "5.1.64.100.example.com"),
        ("vpc-1", "5.1.65.100.in-addr.arpa"),
        ("vpc-9", "5.1.64.100.in-addr.arpa"),
        (None, "5.1.0.10.in-addr.arpa"),
        (None, "0.10.in-addr.arpa"),
    ):
        assert names.answer(vpc_id, name, "PTR") is None, (vpc_id, name)


def test_the_name_that_sdks_make_of_the_endpoint_in_tasks_is_its_address() -> None:
    names = EndpointNames("169.254.170.2")
    name = "data-169.254.170.2"
    assert names.answer(None, name, "A") == ZoneAnswer(soa(name, 2), (DnsRecord(name, "A", 60, "169.254.170.2"),))
    assert names.answer("vpc-1", name, "AAAA") == ZoneAnswer(soa(name, 2))
    for other in ("data-169.254.170.3", "x.data-169.254.170.2", "169.254.170.2"):
        assert names.answer(None, other, "A") is None
