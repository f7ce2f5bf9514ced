"""Load balancers whose change is refused go on as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longshore.domain.elbv2.balancing import BalancerPlan, CertificatePlan, HostPort
from longshore.drivers.haproxy.last_good import instead, keep, read
from tests.support.plans import balancer, check, forward, group, listener, plan, rule

if TYPE_CHECKING:
    from pathlib import Path


def certificate(pem: str) -> CertificatePlan:
    return CertificatePlan(certificate_id="c", pem=pem)


def secure(number: int, group_id: str, address: str = "") -> BalancerPlan:
    front = listener(443, rule(forward(group_id)), protocol="HTTPS", certificates=("c",), listener_id=f"s{number}")
    made = balancer(address or f"10.0.0.{number}", front, lb_id=f"b{number}")
    return plan([made], [group(group_id)], certificates=(certificate("old"),))


def test_what_is_not_refused_is_as_planned() -> None:
    before, wanted = secure(1, "0a"), secure(1, "0b")
    assert instead(wanted, before, ()).load_balancers == wanted.load_balancers


def test_refused_load_balancer_has_its_groups_and_certificates_of_before_and_its_addresses_of_now() -> None:
    before = secure(1, "0a")
    wanted = plan(
        [*secure(1, "0b", "10.0.0.9").load_balancers],
        [group("0a", check=check(path="/new")), group("0b")],
        certificates=(certificate("new"),),
        host_ports=(HostPort(port=443, every="s1"),),
    )
    made = instead(wanted, before, {"b1"})
    assert made.load_balancers == secure(1, "0a", "10.0.0.9").load_balancers
    assert (made.groups, made.certificates) == (before.groups, (certificate("old"),))
    assert made.host_ports == wanted.host_ports


def test_refused_load_balancer_that_never_worked_is_left_out() -> None:
    wanted = secure(1, "0a")
    assert instead(wanted, secure(2, "0b"), {"b1"}).load_balancers == ()
    assert instead(wanted, secure(1, "0b"), {"b2"}).load_balancers == wanted.load_balancers


def test_what_another_load_balancer_uses_too_is_as_that_one_has_it() -> None:
    one, two = secure(1, "0a"), secure(2, "0b")
    wanted = plan(
        [*one.load_balancers, *two.load_balancers], [*one.groups, *two.groups], certificates=(certificate("new"),)
    )
    made = instead(wanted, one, {"b1"})
    assert [each.lb_id for each in made.load_balancers] == ["b1", "b2"]
    assert made.certificates == wanted.certificates


def test_what_is_kept_for_the_next_life_is_private_and_goes_when_nobody_needs_it(tmp_path: Path) -> None:
    file = tmp_path / "last-good.json"
    assert read(file) == BalancerPlan()
    keep(file, secure(1, "0a"))
    assert file.stat().st_mode & 0o777 == 0o600
    assert read(file).load_balancers == secure(1, "0a").load_balancers
    file.write_text('{"load_balancers": [{"unknown": 1}]}')
    assert read(file) == BalancerPlan()
    keep(file, BalancerPlan())
    assert not file.exists()
