"""What hosted zones answer: Cloud Map's services and instances, users' record sets, and what is not there."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from longshore.control.names.zones import HostedZoneNames
from longshore.domain.kinds import KINDS
from longshore.domain.names.naming import ServiceInstance
from longshore.domain.names.resolving import DnsRecord, ZoneAnswer
from longshore.domain.names.zone import HostedZone, RecordSet
from longshore.domain.record import Record
from longshore.store.open import open_store
from tests.support.balancers import standing_at
from tests.support.names import instance, record_set, registry, soa_set, zone
from tests.support.world import SeededIds

NAME = "web.example.internal"
NAMESPACE: dict[str, Any] = {"namespace_id": "ns-1", "namespace_region": "us-east-1"}


class Names:
    """A store, and what its zones answer to vpc-1."""

    def __init__(self, *records: Record) -> None:
        self.store = open_store(None, KINDS)
        self.zones = HostedZoneNames(self.store, SeededIds(3))
        self.put(*records)

    def put(self, *records: Record) -> None:
        with self.store.transaction() as tx:
            for record in records:
                tx.put(record)

    def delete(self, record: Record) -> None:
        with self.store.transaction() as tx:
            tx.delete(type(record), record.key)

    def answer(self, name: str, kind: str = "A", vpc_id: str | None = "vpc-1") -> ZoneAnswer:
        found = self.zones.answer(vpc_id, name, kind)
        assert found is not None
        return found

    def data(self, name: str, kind: str = "A") -> list[str]:
        return sorted(record.data for record in self.answer(name, kind).records)

    def state(self, name: str, kind: str = "A") -> str:
        """What the absence of records means."""
        found = self.answer(name, kind)
        return "records" if found.records else "no data" if found.exists else "no name"


def namespace(*records: Record) -> Names:
    """One of the zone example.internal."""
    return Names(zone(**NAMESPACE), soa_set(), *records)


# -------------------------------------------------------------------------------------------------- Cloud Map


def test_a_service_answers_with_its_instances_and_a_change_is_in_the_next_answer() -> None:
    names = namespace(registry("A", name="web", ttl_s=0))
    assert names.state(NAME) == "no name"
    names.put(instance("one", "10.0.0.1"), instance("two", "10.0.0.2"))
    assert names.data(NAME) == ["10.0.0.1", "10.0.0.2"]
    assert names.answer(NAME).records[0] == DnsRecord(NAME, "A", 0, names.answer(NAME).records[0].data)
    assert names.state(NAME, "AAAA") == "no data"
    names.delete(instance("one", "10.0.0.1"))
    assert names.data(NAME) == ["10.0.0.2"]
    names.delete(instance("two", "10.0.0.2"))
    assert names.state(NAME) == "no name"


def test_a_zone_is_known_in_its_own_vpcs_and_to_the_host_alone() -> None:
    names = namespace(registry("A", name="web"), instance("one"))
    assert names.zones.answer("vpc-2", NAME, "A") is None
    assert names.zones.answer("vpc-1", "web.example.com", "A") is None
    assert names.zones.answer("vpc-1", "internal", "A") is None
    assert names.answer(NAME, vpc_id=None).records
    names.put(zone("example.internal", "vpc-1", "vpc-2", **NAMESPACE))
    assert names.answer(NAME, vpc_id="vpc-2").records


def test_vpcs_may_have_zones_of_one_name_and_the_host_is_told_the_older() -> None:
    names = namespace(registry("A", name="web"), instance("one", "10.0.0.1"))
    second: dict[str, Any] = {"zone_id": "Z2", "created_at": 5.0}
    names.put(zone("example.internal", "vpc-2", **second), soa_set(zone_id="Z2"))
    names.put(record_set(NAME, "A", "10.9.9.9", zone_id="Z2"))
    assert [record.data for record in names.answer(NAME, vpc_id="vpc-2").records] == ["10.9.9.9"]
    assert [record.data for record in names.answer(NAME, vpc_id=None).records] == ["10.0.0.1"]
    assert names.data(NAME) == ["10.0.0.1"]


def test_srv_records_tell_the_port_and_a_host_whose_address_is_there_too() -> None:
    names = namespace(
        registry("SRV", name="web"), instance("One", "10.0.0.1", attributes={"AWS_INSTANCE_PORT": "49153"})
    )
    assert names.data(NAME, "SRV") == ["1 1 49153 one.web.example.internal"]
    assert names.answer(f"one.{NAME}").records == (DnsRecord(f"one.{NAME}", "A", 10, "10.0.0.1"),)
    assert names.state(f"one.{NAME}", "AAAA") == "no data"
    assert names.state(f"one.{NAME}", "SRV") == "no data"
    assert names.state(f"two.{NAME}") == "no name"
    assert names.state(NAME, "A") == "no data"


def test_instances_of_a_service_without_srv_have_no_names_of_their_own() -> None:
    names = namespace(registry("A", name="web"), instance("one"))
    assert names.state(f"one.{NAME}") == "no name"


def test_names_with_more_labels_make_those_above_them_exist() -> None:
    names = namespace(registry("A", name="API.v1"), instance("one"))
    assert names.data("api.v1.example.internal") == ["10.0.0.1"]
    assert names.state("v1.example.internal") == "no data"
    assert names.state("v2.example.internal") == "no name"


@pytest.mark.parametrize("size", [8, 9, 1000])
def test_multivalue_answers_with_at_most_eight_each_as_likely_as_any_other(size: int) -> None:
    addresses = [f"10.0.{number // 250}.{number % 250}" for number in range(size)]
    names = namespace(
        registry("A", name="web"), *(instance(f"i{number}", each) for number, each in enumerate(addresses))
    )
    seen: Counter[str] = Counter()
    for _ in range(500):
        drawn = names.data(NAME)
        assert len(set(drawn)) == 8
        seen.update(drawn)
    assert set(seen) <= set(addresses)
    assert len(seen) > size * 0.95
    assert max(seen.values()) < 4 * 500 * 8 / size + 10


def test_weighted_answers_with_one_and_in_time_with_all() -> None:
    names = namespace(
        registry("A", name="web", routing_policy="WEIGHTED"), *(instance(f"i{n}", f"10.0.0.{n}") for n in range(3))
    )
    drawn = [names.data(NAME) for _ in range(100)]
    assert {len(each) for each in drawn} == {1}
    assert {each[0] for each in drawn} == {"10.0.0.0", "10.0.0.1", "10.0.0.2"}


def test_who_is_unhealthy_is_answered_only_where_all_are() -> None:
    names = namespace(registry("A", name="web", custom_health=True))
    one, two = instance("one", "10.0.0.1"), instance("two", "10.0.0.2")
    names.put(one, two.but(health="UNHEALTHY"))
    assert names.data(NAME) == ["10.0.0.1"]
    names.put(one.but(health="UNHEALTHY"))
    assert names.data(NAME) == ["10.0.0.1", "10.0.0.2"]
    names.put(two)
    assert names.data(NAME) == ["10.0.0.2"]


def test_a_cname_stands_in_place_of_every_type() -> None:
    names = namespace(
        registry("CNAME", name="web", routing_policy="WEIGHTED"),
        instance("one", attributes={"AWS_INSTANCE_CNAME": "db.example.com"}),
    )
    for kind in ("A", "CNAME", "MX"):
        assert names.answer(NAME, kind).records == (DnsRecord(NAME, "CNAME", 10, "db.example.com"),)


def test_an_alias_instance_has_its_load_balancers_addresses() -> None:
    lb = "front-1.us-east-1.elb.localhost"
    alias = instance("one").but(attributes={"AWS_ALIAS_DNS_NAME": f"{lb.upper()}."})
    names = namespace(registry("A", name="web", routing_policy="WEIGHTED"), alias)
    assert names.state(NAME) == "no data"
    names.put(standing_at("172.31.0.9", dns_name=lb))
    for named in (f"{lb.upper()}.", f"dualstack.{lb}", "front-1.us-east-1.elb.internal"):
        names.put(alias.but(attributes={"AWS_ALIAS_DNS_NAME": named}))
        assert names.answer(NAME).records == (DnsRecord(NAME, "A", 60, "172.31.0.9"),)


def test_a_type_that_came_later_is_answered_with_those_that_have_it() -> None:
    many = [instance(f"i{number}", f"10.0.0.{number}") for number in range(100)]
    late = instance("late", "10.0.1.0", attributes={"AWS_INSTANCE_IPV6": "2001:db8::1"})
    names = namespace(registry("A", "AAAA", name="web"), *many, late)
    assert {tuple(names.data(NAME, "AAAA")) for _ in range(20)} == {("2001:db8::1",)}


def test_after_a_start_the_same_is_answered() -> None:
    names = namespace(registry("A", name="web"), instance("one"))
    again = HostedZoneNames(names.store, SeededIds(1))
    assert again.answer("vpc-1", NAME, "A") == names.answer(NAME)


def test_the_soa_says_for_how_long_absence_is_remembered() -> None:
    names = namespace()
    names.put(soa_set(ttl_s=0))
    found = names.answer("nobody.example.internal")
    assert (found.soa.name, found.soa.ttl_s, found.exists) == ("example.internal", 0, False)
    assert names.answer("example.internal", "SOA").records == (found.soa,)
    assert names.state("example.internal", "A") == "no data"


# ------------------------------------------------------------------------------------------- users' record sets


def users(*records: Record) -> Names:
    """A user's zone of the same name."""
    return Names(zone(), soa_set(), *records)


def test_record_sets_are_answered_and_the_names_above_them_exist() -> None:
    names = users(record_set("a.b.example.internal", "A", "10.0.0.1", "10.0.0.2", ttl_s=5))
    assert names.data("a.b.example.internal") == ["10.0.0.1", "10.0.0.2"]
    assert names.state("a.b.example.internal", "TXT") == "no data"
    assert names.state("b.example.internal") == "no data"
    assert names.state("c.example.internal") == "no name"


def test_a_wildcard_is_for_what_does_not_exist_below_the_nearest_name_that_does() -> None:
    names = users(
        record_set("*.example.internal", "A", "10.0.0.1"),
        record_set("x.example.internal", "TXT", '"here"'),
        record_set("deep.y.example.internal", "A", "10.0.0.2"),
    )
    assert names.data("any.example.internal") == names.data("more.any.example.internal") == ["10.0.0.1"]
    assert names.answer("any.example.internal").records[0].name == "any.example.internal"
    assert names.state("x.example.internal") == "no data"
    assert names.state("y.example.internal") == "no data"
    assert names.state("other.y.example.internal") == "no name"
    assert names.state("any.example.internal", "TXT") == "no data"


def test_weighted_record_sets_are_drawn_by_their_weights() -> None:
    sets = [
        record_set(NAME, "A", f"10.0.0.{weight}", set_identifier=str(weight), weight=weight) for weight in (0, 10, 30)
    ]
    names = users(*sets)
    seen = Counter(names.data(NAME)[0] for _ in range(400))
    assert set(seen) == {"10.0.0.10", "10.0.0.30"}
    assert seen["10.0.0.30"] > seen["10.0.0.10"] > 50
    names.put(*(each.but(weight=0) for each in sets))
    assert len({names.data(NAME)[0] for _ in range(100)}) == 3


def test_multivalue_record_sets_are_answered_together() -> None:
    sets = [record_set(NAME, "A", f"10.0.0.{n}", set_identifier=str(n), multivalue=True) for n in range(3)]
    assert users(*sets).data(NAME) == ["10.0.0.0", "10.0.0.1", "10.0.0.2"]


def test_of_many_multivalue_record_sets_eight_are_drawn_and_of_a_simple_one_every_value_is_given() -> None:
    many = [f"10.0.0.{n}" for n in range(12)]
    drawn = users(*(record_set(NAME, "A", each, set_identifier=each, multivalue=True) for each in many))
    seen = [drawn.data(NAME) for _ in range(60)]
    assert {len(set(each)) for each in seen} == {8}
    assert {address for each in seen for address in each} == set(many)
    assert users(record_set(NAME, "A", *many)).data(NAME) == sorted(many)


def test_aliases_lead_to_load_balancers_and_to_other_names_of_the_zone() -> None:
    lb = "front-1.us-east-1.elb.localhost"

    def alias(name: str, target: str) -> RecordSet:
        return record_set(name).but(alias={"HostedZoneId": "Z", "DNSName": target}, ttl_s=0)

    names = users(
        standing_at("172.31.0.9", dns_name=lb),
        alias("lb.example.internal", f"dualstack.{lb}"),
        alias("again.example.internal", "lb.example.internal"),
        alias("round.example.internal", "round.example.internal"),
    )
    for owner in ("lb.example.internal", "again.example.internal"):
        assert names.answer(owner).records == (DnsRecord(owner, "A", 60, "172.31.0.9"),)
    assert names.state("round.example.internal") == "no data"


def test_the_nearest_zone_answers_and_a_private_one_before_a_public_one() -> None:
    nearer = zone("b.example.internal", zone_id="Z2")
    public = HostedZone(
        account="123456789012",
        region="",
        zone_id="Z3",
        name="c.example.internal",
        private=False,
        caller_reference="c",
        created_at=0.0,
    )
    names = users(
        nearer, public, soa_set("b.example.internal", zone_id="Z2"), soa_set("c.example.internal", zone_id="Z3")
    )
    names.put(
        record_set("a.b.example.internal", "A", "10.0.0.1"),
        record_set("a.b.example.internal", "A", "10.0.0.2", zone_id="Z2"),
        record_set("a.c.example.internal", "A", "10.0.0.3", zone_id="Z3"),
    )
    assert names.data("a.b.example.internal") == ["10.0.0.2"]
    assert names.state("a.c.example.internal") == "no name"
    assert [record.data for record in names.answer("a.c.example.internal", vpc_id="vpc-9").records] == ["10.0.0.3"]


def test_escapes_in_values_are_those_of_zone_files() -> None:
    names = users(record_set(NAME, "TXT", r'"a\052\"b"'))
    assert names.data(NAME, "TXT") == [r'"a\042\"b"']


def test_of_ten_thousand_instances_a_question_looks_at_eight() -> None:
    looked: list[object] = []
    names = namespace(
        registry("A", name="web"), *(instance(f"i{n}", f"10.1.{n // 250}.{n % 250}") for n in range(10_000))
    )
    get, select = names.store.get, names.store.select

    def noting_get(cls: Any, key: Any) -> Any:
        looked.append(key)
        return get(cls, key)

    def noting_select(cls: Any, index: str, value: Any) -> Any:
        found = select(cls, index, value)
        looked.extend(found)
        return found

    names.store.get, names.store.select = noting_get, noting_select  # type: ignore[method-assign]
    assert len(names.data(NAME)) == 8
    assert len(looked) < 15
    assert names.store.count(ServiceInstance, "service", ("123456789012", "us-east-1", "srv-1")) == 10_000
