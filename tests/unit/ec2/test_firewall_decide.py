"""What security groups' records mean to a firewall."""

from longshore.decide.ec2.firewall import group_rules, meant_by, place_of
from longshore.domain.ec2.firewall import Allowance, GroupRules, Place
from longshore.domain.ec2.network import SecurityGroupRule, Vpc
from tests.support.security_groups import PLACE, VPC, interface, outbound, rule

EVERYWHERE = ("0.0.0.0/0",)


def inbound(*rules: SecurityGroupRule) -> tuple[Allowance, ...]:
    return group_rules(rules, {"sg-a", "sg-b"}.__contains__).inbound


def test_default_group_lets_its_members_in_and_everything_out() -> None:
    rules = [rule("sg-a", referenced_group_id="sg-a"), outbound("sg-a")]
    assert group_rules(rules, {"sg-a"}.__contains__) == GroupRules(
        inbound=(Allowance(group_id="sg-a"),), outbound=(Allowance(cidrs=EVERYWHERE),)
    )


def test_ports_of_tcp_and_udp_are_a_range() -> None:
    assert inbound(rule("sg-a", "tcp", (80, 90)), rule("sg-a", "udp", (53, 53))) == (
        Allowance(protocol=17, ports=(53, 53), cidrs=EVERYWHERE),
        Allowance(protocol=6, ports=(80, 90), cidrs=EVERYWHERE),
    )


def test_all_ports_are_the_protocol() -> None:
    whole = (Allowance(protocol=6, cidrs=EVERYWHERE),)
    assert inbound(rule("sg-a", "tcp", (0, 65535))) == inbound(rule("sg-a", "tcp")) == whole
    assert inbound(rule("sg-a", "6", (0, 65535))) == whole


def test_port_zero_alone_is_a_port() -> None:
    assert inbound(rule("sg-a", "tcp", (0, 0)))[0].ports == (0, 0)


def test_icmp_has_a_type_and_perhaps_a_code() -> None:
    assert inbound(rule("sg-a", "icmp", (8, -1)))[0].icmp == (8, -1)
    assert inbound(rule("sg-a", "1", (3, 4)))[0].icmp == (3, 4)
    assert inbound(rule("sg-a", "icmp", (-1, -1)))[0] == Allowance(protocol=1, cidrs=EVERYWHERE)


def test_other_protocols_go_by_number() -> None:
    assert inbound(rule("sg-a", "47"))[0] == Allowance(protocol=47, cidrs=EVERYWHERE)


def test_ranges_of_ipv6_and_its_icmp_can_not_be_met() -> None:
    assert inbound(rule("sg-a", cidr_ipv6="::/0"), rule("sg-a", "icmpv6"), rule("sg-a", "58")) == ()


def test_prefix_list_means_its_ranges_joined() -> None:
    ranges = {"pl-1": ["10.0.0.0/25", "10.0.0.128/25", "10.2.0.0/16"]}
    found = group_rules([rule("sg-a", prefix_list_id="pl-1")], bool, lambda each: ranges.get(each.prefix_list_id, ()))
    assert found.inbound[0].cidrs == ("10.0.0.0/24", "10.2.0.0/16")


def test_prefix_list_without_ranges_allows_nobody() -> None:
    assert inbound(rule("sg-a", prefix_list_id="pl-1")) == ()


def test_group_that_is_gone_allows_nobody() -> None:
    assert inbound(rule("sg-a", referenced_group_id="sg-gone")) == ()


def test_rules_that_say_the_same_are_one_and_order_is_none() -> None:
    one, two = rule("sg-a", "tcp", (80, 80)), rule("sg-a", "udp", (80, 80))
    assert inbound(one, two, rule("sg-a", "tcp", (80, 80), cidr_ipv4="0.0.0.0/0")) == inbound(two, one)


def test_host_has_the_addresses_of_load_balancers() -> None:
    task, balancer = interface("10.9.0.4", "sg-b", "sg-a", "sg-b"), interface("10.9.0.9", owner="amazon-elb")
    assert place_of(task, bool) == Place(vpc_id=VPC, address="10.9.0.4", groups=("sg-a", "sg-b"))
    assert place_of(balancer, bool) == Place(vpc_id=VPC, address="10.9.0.9", on_host=True)
    assert place_of(balancer, bool, public=True).public


def test_ranges_of_a_vpc_that_was_moved_mean_where_it_is() -> None:
    moved = Vpc(**PLACE, vpc_id=VPC, cidr="10.0.0.0/16", machine_cidr="10.254.0.0/16")
    for cidr, real in (
        ("10.0.0.0/16", ["10.254.0.0/16"]),
        ("10.0.3.4/32", ["10.254.3.4/32"]),
        ("10.0.0.0/8", ["10.0.0.0/8", "10.254.0.0/16"]),
        ("0.0.0.0/0", ["0.0.0.0/0"]),
        ("192.168.0.0/16", ["192.168.0.0/16"]),
    ):
        assert list(meant_by(rule("sg-a", cidr_ipv4=cidr), moved, [])) == real


def test_prefix_list_of_both_families_means_its_ranges_of_ipv4() -> None:
    assert list(meant_by(rule("sg-a", prefix_list_id="pl-1"), None, ["10.1.0.0/16", "fd00::/8"])) == ["10.1.0.0/16"]
