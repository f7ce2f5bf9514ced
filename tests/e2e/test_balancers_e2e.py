"""Load balancers in front of services, on real containers and a real HAProxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.live_balancer import Load, balancer, connects
from tests.support.server import REGION, Server, sh, until, web

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.docker, pytest.mark.haproxy]


def test_service_behind_a_load_balancer_is_reached_by_paths(server: Server) -> None:
    it = balancer(server, "front")
    it.group("hello")
    rule = {
        "ListenerArn": it.listener,
        "Priority": 10,
        "Conditions": [{"Field": "path-pattern", "Values": ["/hello*"]}],
    }
    it.elb.create_rule(Actions=[{"Type": "forward", "TargetGroupArn": it.groups["hello"]}], **rule)
    redirect = {"Path": "/bar", "StatusCode": "HTTP_301"}
    rule |= {"Priority": 20, "Conditions": [{"Field": "path-pattern", "Values": ["/foo"]}]}
    it.elb.create_rule(Actions=[{"Type": "redirect", "RedirectConfig": redirect}], **rule)
    script = "mkdir /www/hello; echo hello >/www/hello/index.html; echo hello >/www/index.html"
    hello = web()
    hello["command"][2] = f"{script}; {hello['command'][2]}"
    server.serve("hello", server.define("hello", hello), 2, loadBalancers=it.use("hello"))
    server.serve("rest", server.define("rest", web("rest")), 1, loadBalancers=it.use("front"))

    assert it.health("hello") == ["healthy", "healthy"]
    assert it.ask("/hello/") == (200, "hello")
    assert it.ask("/")[1] == "rest"
    assert it.ask("/foo")[0] == 301
    events = [event["message"] for event in server.service("hello")["events"]]
    assert f"(service hello) registered 1 targets in (target-group {it.groups['hello']})" in "\n".join(events) or (
        f"(service hello) registered 2 targets in (target-group {it.groups['hello']})" in "\n".join(events)
    )

    # From a task, by the load balancer's address.
    asked = server.run_to_end(server.define("asks", sh("app", f"http-get {it.address} 80 /hello/")))
    assert server.lines(asked["taskArn"])[-1] == "hello"
    for name in ("hello", "rest"):
        server.unserve(name)
    until(lambda: it.health("hello") == it.health("front") == [], "the targets to be gone")
    it.delete()


def test_host_reaches_a_load_balancer_by_its_name(launch: Callable[..., Server]) -> None:
    server = launch()
    it = balancer(server, "named")
    server.serve("named", server.define("named", web("by name")), 1, loadBalancers=it.use("named"))
    assert it.dns_name.endswith(f".{REGION}.elb.localhost")
    asked = httpx.get(f"http://127.0.0.1:{server.lb_port}/", headers={"Host": it.dns_name}, trust_env=False)
    assert (asked.status_code, asked.text.strip()) == (200, "by name")
    by_any = httpx.get(f"http://127.0.0.1:{server.lb_port}/", headers={"Host": "nobody.test"}, trust_env=False)
    assert (by_any.status_code, by_any.text.strip()) == (200, "by name"), "it is the only one"
    other = balancer(server, "other")

    def asked_as(host: str) -> int:
        return httpx.get(f"http://127.0.0.1:{server.lb_port}/", headers={"Host": host}, trust_env=False).status_code

    until(lambda: asked_as("nobody.test") == 404, "two load balancers to share the port")
    route53 = server.client("route53")
    zone = route53.create_hosted_zone(Name="shop.test", CallerReference="1")["HostedZone"]["Id"]
    (made,) = it.elb.describe_load_balancers(LoadBalancerArns=[it.arn])["LoadBalancers"]
    target = {
        "HostedZoneId": made["CanonicalHostedZoneId"],
        "DNSName": f"dualstack.{it.dns_name}",
        "EvaluateTargetHealth": False,
    }
    change = {"Action": "CREATE", "ResourceRecordSet": {"Name": "www.shop.test", "Type": "A", "AliasTarget": target}}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})
    until(lambda: asked_as("www.shop.test") == 200, "the alias to lead to the load balancer")
    server.unserve("named")
    it.delete()
    other.delete()


def test_deployment_behind_a_load_balancer_loses_no_request(server: Server) -> None:
    it = balancer(server, "rolls")
    server.serve("rolls", server.define("rolls", web("one")), 2, loadBalancers=it.use("rolls"))
    with Load(it.address) as load:
        until(lambda: load.bodies["one"] > 20, "requests to the first revision")
        server.ecs.update_service(service="rolls", taskDefinition=server.define("rolls", web("two")))
        server.stable("rolls")
        until(lambda: load.bodies["two"] > 20, "requests to the second revision")
        server.ecs.update_service(service="rolls", desiredCount=1)
        server.stable("rolls")
        until(lambda: it.health("rolls") == ["healthy"], "the others to have drained")
    assert load.lost == {}
    server.unserve("rolls")
    it.delete()


def test_task_that_fails_its_targets_checks_is_replaced(server: Server) -> None:
    it = balancer(server, "sick")
    it.elb.modify_target_group(
        TargetGroupArn=it.groups["sick"], HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2
    )
    server.serve("sick", server.define("sick", web("well")), 1, loadBalancers=it.use("sick"))
    [task] = server.tasks_of("sick")
    server.execute(task, "rm", "/www/index.html")
    stopped = server.stopped(task["taskArn"])
    assert stopped["stoppedReason"] == f"Task failed ELB health checks in (target-group {it.groups['sick']})"
    server.stable("sick")
    messages = "\n".join(event["message"] for event in server.service("sick")["events"])
    assert "is unhealthy in (target-group" in messages
    assert "due to (reason Health checks failed with these codes: [404])" in messages
    assert it.ask() == (200, "well")
    server.unserve("sick")
    it.delete()


def test_load_balancers_go_on_while_longshore_is_down_and_are_taken_over(launch: Callable[..., Server]) -> None:
    server = launch()
    it = balancer(server, "stays")
    server.serve("stays", server.define("stays", web("here")), 2, loadBalancers=it.use("stays"))
    address = it.address
    with Load(address) as load:
        until(lambda: load.bodies["here"] > 20, "requests")
        server.kill9()
        before = load.bodies["here"]
        until(lambda: load.bodies["here"] > before + 20, "requests while Longshore is down")
        server.start()
        until(lambda: it.health("stays") == ["healthy", "healthy"], "the targets to be known again")
        server.ecs.update_service(service="stays", forceNewDeployment=True)
        server.stable("stays")
    assert load.lost == {}
    server.unserve("stays")
    it.delete()
    until(lambda: not connects(address), "the address to be gone")
