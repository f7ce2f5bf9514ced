"""Which load balancer a name means at the shared ports of the host."""

from __future__ import annotations

from typing import Any

from longshore.decide.elbv2.hosts import Placed, host_ports, names_leading_to
from longshore.domain.elbv2.balancing import Condition, HostPort
from tests.support.plans import balancer, listener, rule, text


def placed(number: int, *hosts: str, aliases: Any = (), created_at: float = 0.0, **fields: Any) -> Placed:
    """A load balancer at the ports 80 and 443, with a rule for some hosts at 80."""
    condition = Condition(field="host-header", values=hosts or ("*",))
    front = listener(80, rule(text("x"), condition), rule(text("y")), listener_id=f"h{number}")
    secure = listener(443, rule(text("z")), listener_id=f"s{number}", protocol="HTTPS", **fields)
    made = balancer(f"127.0.0.{number}", front, secure, lb_id=f"b{number}")
    return Placed(made, created_at or float(number), frozenset(aliases))


def names_at(port: int, *balancers: Placed, certificates: Any = None) -> dict[str, str]:
    (found,) = (each for each in host_ports(balancers, certificates or {}) if each.port == port)
    assert not found.every
    return dict(found.names)


def test_the_only_load_balancer_at_a_port_is_meant_by_every_name() -> None:
    alone = balancer("127.0.0.9", listener(9000, listener_id="n9"), lb_id="b9")
    found = host_ports([placed(1, "a.test"), placed(2), Placed(alone, 0.0, frozenset())], {})
    assert [each.port for each in found] == [80, 443, 9000]
    assert found[2] == HostPort(port=9000, every="n9")


def test_exact_hosts_of_rules_lead_to_every_listener_of_their_load_balancer() -> None:
    both = placed(1, "Shop.test", "a.shop.test"), placed(2, "*.test", "b?.test", "other.test")
    assert names_at(80, *both) == {"shop.test": "h1", "a.shop.test": "h1", "other.test": "h2"}
    assert names_at(443, *both) == {"shop.test": "s1", "a.shop.test": "s1", "other.test": "s2"}


def test_names_of_certificates_lead_to_their_load_balancer_with_one_label_for_a_star() -> None:
    both = placed(1, certificates=("c1", "gone")), placed(2, certificates=("c2",))
    names = {"c1": ("one.test", "*.one.test"), "c2": ("two.test", "an authority", "*.*.test", "x y")}
    assert names_at(443, *both, certificates=names) == {"one.test": "s1", "*.one.test": "s1", "two.test": "s2"}


def test_the_oldest_load_balancer_has_a_name_that_several_have_rules_for() -> None:
    young = placed(1, "shared.test", "young.test", created_at=9.0)
    old = placed(2, "shared.test", created_at=3.0)
    assert names_at(80, young, old) == names_at(80, old, young) == {"shared.test": "h2", "young.test": "h1"}


def test_an_alias_goes_before_what_other_load_balancers_have_rules_for() -> None:
    young = placed(1, aliases=["shop.test"], created_at=9.0)
    old = placed(2, "shop.test", created_at=3.0)
    assert names_at(80, young, old) == names_at(80, old, young) == {"shop.test": "h1"}


def test_aliases_of_aliases_lead_to_the_load_balancer_and_circles_end() -> None:
    leading = {
        "web.elb.localhost": ["a.test"],
        "dualstack.web.elb.localhost": ["b.test", "*.b.test"],
        "a.test": ["www.a.test"],
        "www.a.test": ["a.test"],
        "other.elb.localhost": ["o.test"],
    }
    found = names_leading_to("web.elb.localhost", lambda name: leading.get(name, ()))
    assert found == {"a.test", "b.test", "*.b.test", "www.a.test"}
