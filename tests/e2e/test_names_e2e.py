"""Cloud Map's names on real containers: a client in a task asks for a service by name while its tasks come and go."""

from __future__ import annotations

import ipaddress
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import dns.message
import dns.query
import dns.reversename
import pytest

from tests.support import data_plane, engine, images, namespaces
from tests.support.server import QUICK, STAY, Server, address, sh, until, web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

pytestmark = pytest.mark.docker

NAME = "web.e2e.internal"
LATE_S = 0.1
"""How long after its task was told to stop an address may still be in an answer."""
ASKS = (
    f"while true; do read up rest </proc/uptime; found=$(ping -c1 -W1 {NAME} 2>&1 | head -n 1); "
    'echo "$up $found"; sleep 0.02; done'
)


class Look(NamedTuple):
    """One question of a client, and what it was told."""

    at_s: float
    """Uptime of the machine when it was asked."""
    answer: str


def registry(server: Server, *types: str) -> str:
    """The ARN of a Cloud Map service `web` in `e2e.internal`, whose answers may be kept for a minute."""
    discovery = server.client("servicediscovery")
    vpc = server.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    made = discovery.create_private_dns_namespace(Name="e2e.internal", Vpc=vpc)
    namespace = discovery.get_operation(OperationId=made["OperationId"])["Operation"]["Targets"]["NAMESPACE"]
    records = {"DnsRecords": [{"Type": kind, "TTL": 60} for kind in types]}
    arn: str = discovery.create_service(Name="web", NamespaceId=namespace, DnsConfig=records)["Service"]["Arn"]
    return arn


def looks(server: Server, client: str) -> list[Look]:
    """All questions of the client so far."""
    lines = [line.partition(" ") for line in server.lines(client)]
    return [Look(float(at_s), answer) for at_s, _, answer in lines]


def instances(server: Server) -> set[str]:
    """The ids of the tasks in the name."""
    asked = {"NamespaceName": "e2e.internal", "ServiceName": "web", "HealthStatus": "ALL"}
    found = server.client("servicediscovery").discover_instances(**asked)["Instances"]
    return {each["InstanceId"] for each in found}


def running(server: Server) -> set[str]:
    """The ids of the service's tasks that run."""
    tasks = server.tasks_of("web")
    return {task["taskArn"].rpartition("/")[2] for task in tasks if task["lastStatus"] == "RUNNING"}


def uptime_s() -> float:
    return float(Path("/proc/uptime").read_text().split()[0])


def test_a_client_never_gets_an_address_that_was_withdrawn_and_always_gets_one(launch: Callable[..., Server]) -> None:
    server = launch()
    use = [{"registryArn": registry(server, "A")}]
    server.serve("web", server.define("web", web("one")), 2, serviceRegistries=use)
    client = server.run(server.define("asks", sh("app", ASKS)))
    server.running(client)
    until(lambda: len(looks(server, client)) > 20, "the client to ask")
    old = {task["taskArn"]: address(task) for task in server.tasks_of("web")}
    server.ecs.update_service(service="web", taskDefinition=server.define("web", web("two")))
    server.stable("web")
    new = {address(task) for task in server.tasks_of("web")}
    asked = len(looks(server, client))
    until(lambda: len(looks(server, client)) > asked + 40, "the client to ask after the rollout")
    booted_s = time.time() - uptime_s()
    withdrawn_s = {old[arn]: task["stoppingAt"].timestamp() - booted_s for arn in old for task in [server.stopped(arn)]}

    found = looks(server, client)
    assert [look for look in found if NAME not in look.answer or "(" not in look.answer] == []
    late = [
        look
        for look in found
        for gone, stopping_s in withdrawn_s.items()
        if f"({gone})" in look.answer and look.at_s > stopping_s + LATE_S
    ]
    assert late == []
    seen = {look.answer.partition("(")[2].partition(")")[0] for look in found}
    assert seen & set(old.values())
    assert seen & new
    assert seen <= {*old.values(), *new}

    server.restart(kill=True)
    victim = server.tasks_of("web")[0]
    killed = victim["taskArn"].rpartition("/")[2]
    server.kill_container(victim)
    until(lambda: len(ids := running(server)) == 2 and killed not in ids, "another task to run")
    until(lambda: instances(server) == running(server), "both tasks to be in the name again")
    server.unserve("web")
    assert instances(server) == set()


def test_the_resolver_of_the_vpc_answers_where_aws_has_it_whatever_the_security_groups_say(
    launch: Callable[..., Server],
) -> None:
    server = launch()
    ec2, elb = server.client("ec2"), server.client("elbv2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]
    group = ec2.create_security_group(GroupName="closed", Description="d", VpcId=vpc["VpcId"])["GroupId"]
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything)
    use = [{"registryArn": registry(server, "A")}]
    server.serve("web", server.define("web", web("one")), 1, serviceRegistries=use)
    network = server.network
    network["awsvpcConfiguration"]["securityGroups"] = [group]
    asks = server.running(server.run(server.define("asks", sh("app", STAY)), networkConfiguration=network))
    [told] = [address(task) for task in server.tasks_of("web")]
    resolvers = ("169.254.169.253", str(ipaddress.IPv4Network(vpc["CidrBlock"])[2]))
    private, reverse = f"ip-{told.replace('.', '-')}.ec2.internal.", dns.reversename.from_address(told).to_text()

    def answered() -> None:
        for resolver in resolvers:
            for ask in (dns.query.udp, dns.query.tcp):
                for name, kind, data in ((NAME, "A", told), (reverse, "PTR", private)):
                    query = dns.message.make_query(name, kind)
                    reply = namespaces.within(inside(server, asks), partial(ask, query, resolver, timeout=10))
                    assert [record.to_text() for rrset in reply.answer for record in rrset] == [data]

    answered()
    assert not namespaces.connects(inside(server, asks), resolvers[1], 80)
    # What comes and goes on the same bridge leaves these addresses alone.
    subnets = server.network["awsvpcConfiguration"]["subnets"]
    made = elb.create_load_balancer(Name="passing", Type="network", Subnets=subnets)["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]
    elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[arn], WaiterConfig=QUICK)
    elb.delete_load_balancer(LoadBalancerArn=arn)
    until(lambda: data_plane.running(server.instance) is None, "HAProxy to end with its last load balancer")
    answered()
    server.restart(kill=True)
    answered()
    server.unserve("web")


def inside(server: Server, task: Mapping[str, Any]) -> Path:
    """The network namespace of a task."""
    with engine.client(server.docker_url) as http:
        found = http.get(f"/containers/{task['containers'][0]['runtimeId']}/json").json()
    return namespaces.of_process(found["State"]["Pid"])


def test_programs_in_a_task_look_up_the_name_of_an_address_by_their_own_library(launch: Callable[..., Server]) -> None:
    server = launch()
    image = images.python_image(server.docker_url)
    other = address(server.running(server.run(server.define("other", sh("app", STAY)))))
    script = (
        f"import socket; print(socket.gethostbyaddr('{other}')[0]); print(socket.gethostbyname(socket.gethostname()))"
    )
    definition = server.define("looks", sh("app", "", image=image, command=["python3", "-c", script]))
    done = server.run_to_end(definition)
    assert server.lines(done["taskArn"]) == [f"ip-{other.replace('.', '-')}.ec2.internal", address(done)]


def test_a_task_asks_for_the_port_of_a_service_and_reaches_it_there(launch: Callable[..., Server]) -> None:
    server = launch()
    use = [{"registryArn": registry(server, "SRV"), "containerName": "app", "containerPort": 8080}]
    serving = web("ported", 8080)
    server.serve("web", server.define("web", serving), 1, serviceRegistries=use)
    query = dns.message.make_query(NAME, "SRV", use_edns=False).to_wire()
    octal = "".join(f"\\{byte:03o}" for byte in len(query).to_bytes(2, "big") + query)  # busybox' nc has TCP alone
    script = f"printf '{octal}' | nc 169.254.170.2 53 | hexdump -v -e '/1 \"%02x\"'; echo"
    done = server.run_to_end(server.define("asks", sh("app", script)))
    reply = dns.message.from_wire(bytes.fromhex("".join(server.lines(done["taskArn"])))[2:])
    [record] = reply.answer[0]
    [task] = server.tasks_of("web")
    host = record.target.to_text(omit_final_dot=True)
    assert (record.port, host) == (8080, f"{task['taskArn'].rpartition('/')[2]}.{NAME}")
    reached = server.run_to_end(server.define("reaches", sh("app", f"http-get {host} {record.port} /")))
    assert server.lines(reached["taskArn"])[-1] == "ported"
    server.unserve("web")


def test_a_task_finds_users_records_and_the_endpoint_and_nothing_that_is_not_there(
    launch: Callable[..., Server],
) -> None:
    server = launch()
    registry(server, "A", "SRV")
    vpc = server.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    route53 = server.client("route53")
    place = {"VPCRegion": "us-east-1", "VPCId": vpc}
    zone = route53.create_hosted_zone(Name="own.internal", CallerReference="e2e", VPC=place)["HostedZone"]["Id"]
    record = {"Name": "*.own.internal", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "127.0.0.3"}]}
    change = {"Action": "CREATE", "ResourceRecordSet": record}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})
    names = ("any.own.internal", "own.internal", "web.e2e.internal", "data-169.254.170.2")
    script = "; ".join(f"ping -c1 -W1 {name} 2>&1 | head -n 1" for name in names)
    done = server.run_to_end(server.define("finds", sh("app", script)))
    own, apex, nobody, endpoint = server.lines(done["taskArn"])
    assert "(127.0.0.3)" in own
    assert "bad address" in apex
    assert "bad address" in nobody
    assert "(169.254.170.2)" in endpoint
