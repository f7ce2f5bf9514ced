"""Service Connect in the ECS API, and what is planned for proxies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from longshore.decide.names import connect as decide
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.service import Deployment
from longshore.domain.ecs.task import Attachment, Container, Task
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.domain.log import LogTarget
from longshore.domain.names.connect import ConnectService, Endpoint, ProxyLog, ServiceConnect
from longshore.domain.names.naming import DiscoveryService, Namespace
from longshore.drivers.connect.access import line
from tests.support.api import SCOPE, awsvpc
from tests.support.services import ServiceApi

SHOP = Namespace(
    account=SCOPE.account, region=SCOPE.region, namespace_id="ns-shop", name="shop", type="HTTP", created_at=0.0
)
PORTS = [
    {"containerPort": 8080, "name": "http", "appProtocol": "http"},
    {"containerPort": 6379, "name": "cache"},
    {"containerPort": 8125, "name": "stats", "protocol": "udp"},
]


@pytest.fixture
def api() -> ServiceApi:
    made = ServiceApi()
    made.define(ports=PORTS)
    made.put(SHOP)
    return made


def connect(*services: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"enabled": True, "namespace": "shop", **more, **({"services": list(services)} if services else {})}


# ------------------------------------------------------------------------------------------------------- the API


def test_what_was_given_is_answered_under_the_deployment_and_its_revision(api: ServiceApi) -> None:
    given = connect({"portName": "http", "clientAliases": [{"port": 80, "dnsName": "web"}]})
    made = api.create(serviceConnectConfiguration=given)
    [deployment] = made["deployments"]
    assert deployment["serviceConnectConfiguration"] == given
    [discovery] = api.store.all(DiscoveryService)
    assert (discovery.name, discovery.type, discovery.namespace_id) == ("http", "HTTP", "ns-shop")
    assert deployment["serviceConnectResources"] == [{"discoveryName": "http", "discoveryArn": discovery.arn}]
    [revision] = api("DescribeServiceRevisions", serviceRevisionArns=[made["currentServiceRevisions"][0]["arn"]])[
        "serviceRevisions"
    ]
    assert revision["serviceConnectConfiguration"] == given


def test_what_cloud_map_has_for_a_service_goes_with_the_last_that_offers_it(api: ServiceApi) -> None:
    for name in ("web", "second"):
        api.create(name, serviceConnectConfiguration=connect({"portName": "http"}))
    for name, left in (("web", 1), ("second", 0)):
        api("DeleteService", service=name, force=True)
        assert len(list(api.store.all(DiscoveryService))) == left


def test_an_unknown_namespace_is_refused(api: ServiceApi) -> None:
    for unknown in ("other", SHOP.arn.replace("ns-shop", "ns-other")):
        error = api.error("CreateService", **asked(enabled=True, namespace=unknown))
        assert error.code == "NamespaceNotFoundException"


def test_only_a_change_begins_a_deployment(api: ServiceApi) -> None:
    given = connect({"portName": "http"})
    api.create(serviceConnectConfiguration=given)
    api("UpdateService", service="web", serviceConnectConfiguration=given)
    api("UpdateService", service="web", desiredCount=3)
    assert len(api.deployments()) == 1
    api("UpdateService", service="web", serviceConnectConfiguration={"enabled": False})
    assert len(api.deployments()) == 2
    assert api.described()["deployments"][0]["serviceConnectConfiguration"] == {"enabled": False}


def test_the_cluster_gives_the_namespace(api: ServiceApi) -> None:
    assert "Namespace is missing" in api.error("CreateService", **asked(enabled=True)).message
    set_default(api, SHOP.arn)
    api("CreateService", **asked(enabled=True))
    assert api("ListServicesByNamespace", namespace="shop")["serviceArns"] == [api.record().arn]
    assert api("ListServicesByNamespace", namespace=SHOP.arn)["serviceArns"] == [api.record().arn]
    assert api.error("ListServicesByNamespace", namespace="other").code == "NamespaceNotFoundException"


@pytest.mark.parametrize("default", [SHOP.arn.replace("ns-shop", "ns-other"), ""])
def test_another_default_of_the_cluster_is_for_services_to_come(api: ServiceApi, default: str) -> None:
    api.put(replace(SHOP, namespace_id="ns-other", name="other"))
    set_default(api, SHOP.arn)
    given = {"enabled": True, "services": [{"portName": "http"}]}
    api.create(serviceConnectConfiguration=given)
    set_default(api, default)
    api.define(ports=PORTS)
    for change in (
        {"taskDefinition": "web"},
        {"serviceConnectConfiguration": given},
        {"serviceConnectConfiguration": {"enabled": True}},
    ):
        api("UpdateService", service="web", **change)
        assert api("ListServicesByNamespace", namespace="shop")["serviceArns"] == [api.record().arn]
    api("UpdateService", service="web", serviceConnectConfiguration={"enabled": False})
    if default:
        api("UpdateService", service="web", serviceConnectConfiguration=given)
        assert api("ListServicesByNamespace", namespace="other")["serviceArns"] == [api.record().arn]


def test_a_new_definition_leaves_a_service_in_its_namespace_though_another_gets_its_name(api: ServiceApi) -> None:
    api.put(replace(SHOP, type="DNS_PRIVATE"))
    api.create(serviceConnectConfiguration=connect({"portName": "http"}))
    api.put(replace(SHOP, namespace_id="ns-newer"))
    api.define(ports=PORTS)
    api("UpdateService", service="web", taskDefinition="web")
    assert api("ListServicesByNamespace", namespace=SHOP.arn)["serviceArns"] == [api.record().arn]


def set_default(api: ServiceApi, namespace_arn: str) -> None:
    """The cluster's default namespace."""
    with api.store.transaction() as tx:
        [cluster] = tx.all(Cluster)
        tx.put(cluster.but(service_connect_namespace=namespace_arn))


def asked(**given: Any) -> dict[str, Any]:
    common = {"taskDefinition": "web", "desiredCount": 2, "networkConfiguration": awsvpc()}
    return {"serviceName": "web", **common, "serviceConnectConfiguration": given}


@pytest.mark.parametrize(
    ("service", "text"),
    [
        ({"portName": "none"}, "portName(none) does not refer to any named PortMapping in the container definitions"),
        (
            {"portName": "http", "clientAliases": [{"port": 1}, {"port": 2}]},
            "2 clientAliases exceeds the max limit",
        ),
        ({"portName": "http", "clientAliases": [{"port": 0}]}, "between 1 and 65535"),
        ({"portName": "http", "clientAliases": [{"port": 80, "dnsName": "a b"}]}, "not a name that DNS can have"),
        ({"portName": "http", "ingressPortOverride": 8080}, "a port that no container has"),
        (
            {"portName": "cache", "timeout": {"perRequestTimeoutSeconds": 1}},
            "perRequestTimeoutSeconds is not sup",
        ),
        ({"portName": "http", "timeout": {"idleTimeoutSeconds": -1}}, "at least 0"),
        ({"portName": "stats"}, "portName(stats) is a port mapping of the protocol udp: Service Connect carries TCP"),
    ],
)
def test_what_cannot_be_offered_is_refused(api: ServiceApi, service: dict[str, Any], text: str) -> None:
    assert text in api.error("CreateService", **asked(**connect(service))).message


def test_a_definition_without_an_offered_port_is_refused(api: ServiceApi) -> None:
    api.create(serviceConnectConfiguration=connect({"portName": "cache"}))
    api.define(ports=PORTS[:1])
    assert "portName(cache)" in api.error("UpdateService", service="web", taskDefinition="web").message


def test_a_name_and_port_have_one_place_in_the_namespace(api: ServiceApi) -> None:
    alias = {"clientAliases": [{"port": 80, "dnsName": "web"}]}
    api.create(serviceConnectConfiguration=connect({"portName": "http", **alias}, {"portName": "cache"}))
    other = connect({"portName": "http", **alias})
    api.create("second", serviceConnectConfiguration=other)
    first, second = (places(api, name) for name in ("web", "second"))
    assert first[0] == second[0] == ("web", 80, "127.255.0.1", 61001)
    assert first[1] == ("cache.shop", 6379, "127.255.0.2", 61002)
    taken = connect({"portName": "cache", **alias})
    assert (
        "is that of the discovery name http"
        in api.error("CreateService", **{**asked(**taken), "serviceName": "third"}).message
    )


def places(api: ServiceApi, name: str) -> list[tuple[str, int, str, int]]:
    found = api.record(name).service_connect
    assert found is not None
    return [(each.dns_name, each.port, each.address, each.listen_port) for each in found.services]


AWSLOGS: dict[str, Any] = {
    "logDriver": "awslogs",
    "options": {"awslogs-group": "g", "awslogs-region": "us-west-2", "awslogs-stream-prefix": "shop"},
}


def test_logs_of_proxies_are_kept_and_answered(api: ServiceApi) -> None:
    given = connect({"portName": "http"}, logConfiguration=AWSLOGS, accessLogConfiguration={"format": "TEXT"})
    [deployment] = api.create(serviceConnectConfiguration=given)["deployments"]
    assert deployment["serviceConnectConfiguration"] == given


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"accessLogConfiguration": {"format": "TEXT"}}, "needs a logConfiguration"),
        ({"logConfiguration": {"logDriver": "splunk"}}, "splunk is not served"),
        ({"logConfiguration": {"logDriver": "awslogs"}}, "requires options: awslogs-group, awslogs-region"),
        (
            {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "r"}}},
            "requires options: awslogs-stream-prefix",
        ),
        (
            {"logConfiguration": {**AWSLOGS, "options": {**AWSLOGS["options"], "awslogs-multiline-pattern": "a"}}},
            "leave awslogs-multiline-pattern out",
        ),
        (
            {"logConfiguration": {**AWSLOGS, "secretOptions": [{"name": "a", "valueFrom": "b"}]}},
            "secretOptions of log drivers are not served",
        ),
    ],
)
def test_logs_that_cannot_be_had_are_refused(api: ServiceApi, more: dict[str, Any], text: str) -> None:
    assert text in api.error("CreateService", **asked(**connect({"portName": "http"}, **more))).message


# ----------------------------------------------------------------------------------------------------- decisions


DEFINITION = TaskDefinition(
    account="1",
    region="r",
    family="web",
    revision=1,
    registered_at=0.0,
    registered_by="me",
    document={
        "networkMode": "awsvpc",
        "containerDefinitions": [{"name": "app", "image": "app", "portMappings": PORTS}],
    },
)
WEB = ConnectService(
    port_name="http", discovery_name="web", dns_name="web", port=80, address="127.255.0.1", listen_port=61001,
    discovery_arn="", endpoint_port=8080,
)  # fmt: skip


def deployment(number: str, service: ConnectService = WEB, *, at: float = 0.0) -> Deployment:
    return Deployment(
        account="1", region="r", number=number, service_uid="u", cluster="c", service_name="web", created_at=at,
        updated_at=at, task_definition_arn="web:1", launch_type="FARGATE", service_deployment_id=number,
        service_connect=ServiceConnect(given={}, namespace="shop", services=(service,)),
    )  # fmt: skip


def task(number: int, **changes: Any) -> Task:
    fields: dict[str, Any] = {
        "account": "1", "region": "r", "task_id": f"t{number}", "cluster": "c", "task_definition_arn": "web:1",
        "group": "service:web", "launch_type": "FARGATE", "created_at": 0.0, "cpu_units": 256, "memory_mib": 512,
        "last_status": "RUNNING",
        "attachment": Attachment(attachment_id="a", subnet_id="s", private_ip=f"10.0.0.{number}"),
    }  # fmt: skip
    return Task(**{**fields, **changes})


CHECKED = (Container(name="app", image="app", container_id="x", has_health_check=True),)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"last_status": "PENDING"}, False),
        ({"desired_status": "STOPPED"}, False),
        ({"containers": CHECKED}, False),
        ({"containers": CHECKED, "health": "HEALTHY"}, True),
        ({"health": "UNHEALTHY"}, False),
        ({"attachment": None}, False),
    ],
)
def test_who_is_to_be_found(changes: dict[str, Any], found: bool) -> None:
    assert decide.ready(task(1, **changes)) is found


def test_a_route_has_all_that_offer_its_discovery_name_and_answer() -> None:
    offers = [
        decide.Offer(deployment("1"), DEFINITION, [task(1), task(2, desired_status="STOPPED")]),
        decide.Offer(deployment("2", at=1.0), DEFINITION, [task(3), task(4)]),
    ]
    [route] = decide.routes_of(offers, lambda endpoint: endpoint.address != "10.0.0.4")
    assert route.endpoints == (Endpoint("10.0.0.1", 8080), Endpoint("10.0.0.3", 8080))
    assert (route.protocol, route.idle_timeout_s, route.request_timeout_s) == ("http", 300, 15)


def test_the_newest_deployment_says_how_a_name_is_served() -> None:
    newer = replace(WEB, idle_timeout_s=7, request_timeout_s=0, ingress_port=9000, endpoint_port=9000)
    offers = [
        decide.Offer(deployment("2", newer, at=1.0), DEFINITION, [task(3)]),
        decide.Offer(deployment("1"), DEFINITION, [task(1)]),
    ]
    [route] = decide.routes_of(offers, lambda _endpoint: True)
    assert (route.idle_timeout_s, route.request_timeout_s) == (7, 0)
    assert route.endpoints == (Endpoint("10.0.0.1", 8080), Endpoint("10.0.0.3", 9000))
    plan = decide.plan_of(deployment("2", newer).service_connect, DEFINITION, (route,), task(1))
    assert [(each.port, each.container_port) for each in plan.ingresses] == [(9000, 8080)]


def test_a_proxy_logs_where_and_what_its_service_says() -> None:
    given: dict[str, Any] = {"enabled": True, "logConfiguration": AWSLOGS}
    target = LogTarget(group="g", stream="shop/ecs-service-connect/t1", region="us-west-2")
    assert decide.proxy_log(ServiceConnect(given=given), task(1)) == ProxyLog(account="1", target=target)
    given["accessLogConfiguration"] = {"format": "JSON", "includeQueryParameters": "ENABLED"}
    log = decide.proxy_log(ServiceConnect(given=given), task(1))
    assert log == ProxyLog(account="1", target=target, requests="JSON", with_query=True)
    assert decide.proxy_log(ServiceConnect(given={"enabled": True}), task(1)) is None


REQUEST = "request\tweb\t----\t10\t20\t7\t10.0.0.1:80\tGET\t%2Fa%22\tHTTP/1.1\t200\t5\t\tcurl\t\tweb:80"


def test_requests_are_logged_as_envoy_does() -> None:
    assert line(REQUEST, "TEXT", 1000.25) == (
        '[1970-01-01T00:16:40.243Z] "GET /a\\x22 HTTP/1.1" 200 - 10 20 7 5 "-" "curl" "-" "web:80" "10.0.0.1:80"'
    )
    found = json.loads(line(REQUEST, "JSON", 1000.25))
    assert found == {
        "start_time": "1970-01-01T00:16:40.243Z", "method": "GET", "path": '/a"', "protocol": "HTTP/1.1",
        "response_code": 200, "response_flags": None, "bytes_received": 10, "bytes_sent": 20, "duration": 7,
        "upstream_service_time": 5, "x_forwarded_for": None, "user_agent": "curl", "x_request_id": None,
        "authority": "web:80", "upstream_host": "10.0.0.1:80", "discovery_name": "web",
    }  # fmt: skip


def test_what_is_not_about_a_request_is_logged_as_it_is() -> None:
    assert line("Server c-61001/s1 is DOWN\n", "JSON", 0.0) == "Server c-61001/s1 is DOWN"
    tcp = line("request\tcache\tsD\t1\t2\t3\t-:-", "TEXT", 1.0)
    assert tcp == '[1970-01-01T00:00:00.997Z] "- - -" - sD 1 2 3 - "-" "-" "-" "-" "-"'


def test_a_port_without_app_protocol_is_tcp() -> None:
    cache = replace(WEB, port_name="cache")
    [route] = decide.routes_of([decide.Offer(deployment("1", cache), DEFINITION, [])], lambda _endpoint: True)
    assert (route.protocol, route.idle_timeout_s, route.request_timeout_s) == ("tcp", 3600, 0)
    assert route.endpoints == ()


def test_another_port_of_a_name_has_its_address_and_a_port_of_its_own() -> None:
    assert decide.place("WEB", 81, [WEB]) == ("127.255.0.1", 61002)
    assert decide.place("other", 80, [WEB]) == ("127.255.0.2", 61002)
    assert decide.place("web", 80, [WEB]) == ("127.255.0.1", 61001)
