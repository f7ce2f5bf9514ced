"""Cloud Map's API: namespaces, services, instances, operations, discovery, tags."""

from __future__ import annotations

from typing import Any

import pytest

from longshore.api.servicediscovery import OPERATIONS
from longshore.domain.names.naming import Namespace, NamingOperation, ServiceInstance
from longshore.domain.names.zone import HostedZone, RecordSet
from tests.support.api import SCOPE, Api


@pytest.fixture
def api() -> Api:
    return Api(OPERATIONS, service="servicediscovery")


def namespace(api: Api, name: str = "example.internal", **asked: Any) -> str:
    """A private namespace's id."""
    made = api("CreatePrivateDnsNamespace", Name=name, Vpc="vpc-1", **asked)
    operation = api("GetOperation", OperationId=made["OperationId"])["Operation"]
    assert (operation["Type"], operation["Status"]) == ("CREATE_NAMESPACE", "SUCCESS")
    return str(operation["Targets"]["NAMESPACE"])


def service(api: Api, name: str = "web", *types: str, **asked: Any) -> str:
    """A service's id, in a namespace of its own unless one is given."""
    if types:
        records = [{"Type": each, "TTL": 10} for each in types]
        asked["DnsConfig"] = {"DnsRecords": records, **asked.pop("DnsConfig", {})}
    asked.setdefault("NamespaceId", None)
    asked["NamespaceId"] = asked["NamespaceId"] or namespace(api)
    return str(api("CreateService", Name=name, **asked)["Service"]["Id"])


def register(api: Api, service_id: str, instance_id: str = "one", **attributes: str) -> None:
    given = attributes or {"AWS_INSTANCE_IPV4": "10.0.0.5"}
    api("RegisterInstance", ServiceId=service_id, InstanceId=instance_id, Attributes=given)


def discovered(api: Api, **asked: Any) -> list[str]:
    found = api("DiscoverInstances", NamespaceName="example.internal", ServiceName="web", **asked)
    return sorted(each["InstanceId"] for each in found["Instances"])


# ---------------------------------------------------------------------------------------------------- namespaces


def test_a_private_namespace_has_a_hosted_zone_in_its_vpc_until_it_is_deleted(api: Api) -> None:
    namespace_id = namespace(api, Description="inside", Tags=[{"Key": "a", "Value": "b"}])
    shown = api("GetNamespace", Id=namespace_id)["Namespace"]
    assert shown["Arn"] == f"arn:aws:servicediscovery:us-east-1:{SCOPE.account}:namespace/{namespace_id}"
    assert (shown["Type"], shown["Description"], shown["ServiceCount"]) == ("DNS_PRIVATE", "inside", 0)
    zone_id = shown["Properties"]["DnsProperties"]["HostedZoneId"]
    (zone,) = api.store.all(HostedZone)
    assert (zone.zone_id, zone.name, [vpc.vpc_id for vpc in zone.vpcs]) == (zone_id, "example.internal", ["vpc-1"])
    assert {each.type for each in api.store.all(RecordSet)} == {"SOA", "NS"}
    assert api("GetNamespace", Id=shown["Arn"])["Namespace"]["Id"] == namespace_id
    api("DeleteNamespace", Id=namespace_id)
    assert not [*api.store.all(HostedZone), *api.store.all(RecordSet), *api.store.all(Namespace)]
    assert api.error("GetNamespace", Id=namespace_id).code == "NamespaceNotFound"


def test_the_soa_of_a_namespace_tells_how_long_absence_is_remembered_and_can_be_changed(api: Api) -> None:
    def ttl() -> int:
        return int(api("GetNamespace", Id=made)["Namespace"]["Properties"]["DnsProperties"]["SOA"]["TTL"])

    made = namespace(api)
    assert ttl() == 15
    properties = {"DnsProperties": {"SOA": {"TTL": 0}}}
    api("UpdatePrivateDnsNamespace", Id=made, Namespace={"Properties": properties, "Description": "d"})
    assert ttl() == 0
    api("UpdatePrivateDnsNamespace", Id=made, Namespace={"Description": "e"})
    assert ttl() == 0
    assert api("GetNamespace", Id=made)["Namespace"]["Description"] == "e"
    assert api.error("UpdatePublicDnsNamespace", Id=made, Namespace={"Description": "e"}).code == "InvalidInput"


def test_names_are_taken_per_type_and_those_of_private_namespaces_per_vpc(api: Api) -> None:
    first = namespace(api, CreatorRequestId="r1")
    error = api.error("CreatePrivateDnsNamespace", Name="Example.Internal", Vpc="vpc-1")
    assert error.code == "NamespaceAlreadyExists"
    assert error.members == {"NamespaceId": first, "CreatorRequestId": "r1"}
    api("CreatePublicDnsNamespace", Name="example.internal")
    api("CreateHttpNamespace", Name="example.internal")
    assert api.error("CreateHttpNamespace", Name="example.internal").code == "NamespaceAlreadyExists"
    api("CreateHttpNamespace", Name="Example.internal")
    assert len(list(api.store.all(HostedZone))) == 2


def test_a_repeated_request_is_answered_with_its_operation(api: Api) -> None:
    asked = {"Name": "a.internal", "Vpc": "vpc-1", "CreatorRequestId": "once"}
    first = api("CreatePrivateDnsNamespace", **asked)
    assert api("CreatePrivateDnsNamespace", **asked) == first
    assert len(list(api.store.all(NamingOperation))) == 1
    other = {**asked, "Description": "different"}
    assert api.error("CreatePrivateDnsNamespace", **other).code == "NamespaceAlreadyExists"


def test_a_repeated_request_for_a_namespace_that_was_deleted_makes_it_anew(api: Api) -> None:
    asked = {"Name": "a.internal", "Vpc": "vpc-1", "CreatorRequestId": "once"}
    first = target(api, api("CreatePrivateDnsNamespace", **asked))
    api("DeleteNamespace", Id=first)
    again = api("CreatePrivateDnsNamespace", **asked)
    assert target(api, again) != first
    assert api("GetNamespace", Id=target(api, again))["Namespace"]["Name"] == "a.internal"
    assert api("CreatePrivateDnsNamespace", **asked) == again


def target(api: Api, made: dict[str, Any]) -> str:
    """The namespace of an operation."""
    return str(api("GetOperation", OperationId=made["OperationId"])["Operation"]["Targets"]["NAMESPACE"])


@pytest.mark.parametrize("name", ["a..b", "a" * 64, ".", "a b", "ü.internal", f"{'a' * 63}." * 4])
def test_a_dns_namespace_needs_a_dns_name(api: Api, name: str) -> None:
    assert api.error("CreatePrivateDnsNamespace", Name=name, Vpc="vpc-1").code == "InvalidInput"
    api("CreateHttpNamespace", Name=name)


def test_a_private_namespace_needs_a_vpc_that_is_there(api: Api) -> None:
    assert api.error("CreatePrivateDnsNamespace", Name="a.internal", Vpc="vpc-9").code == "InvalidInput"


def test_a_namespace_with_services_stays_and_a_service_with_instances_too(api: Api) -> None:
    namespace_id = namespace(api)
    service_id = service(api, "web", "A", NamespaceId=namespace_id)
    register(api, service_id)
    assert api.error("DeleteNamespace", Id=namespace_id).code == "ResourceInUse"
    assert api.error("DeleteService", Id=service_id).code == "ResourceInUse"
    api("DeregisterInstance", ServiceId=service_id, InstanceId="one")
    api("DeleteService", Id=service_id)
    api("DeleteNamespace", Id=namespace_id)
    assert api.error("GetService", Id=service_id).code == "ServiceNotFound"


def test_namespaces_are_listed_by_type_and_name(api: Api) -> None:
    namespace(api, "a.internal")
    namespace(api, "b.internal")
    api("CreateHttpNamespace", Name="a.http")

    def names(*filters: dict[str, Any]) -> list[str]:
        return [each["Name"] for each in api("ListNamespaces", Filters=list(filters))["Namespaces"]]

    assert names() == ["a.http", "a.internal", "b.internal"]
    assert names({"Name": "TYPE", "Values": ["HTTP"]}) == ["a.http"]
    assert names({"Name": "TYPE", "Values": ["HTTP", "DNS_PRIVATE"], "Condition": "IN"}) == names()
    assert names({"Name": "NAME", "Values": ["a."], "Condition": "BEGINS_WITH"}) == ["a.http", "a.internal"]
    assert names({"Name": "NAME", "Values": ["b.internal"]}) == ["b.internal"]
    wrong = [{"Name": "TYPE", "Values": ["HTTP"], "Condition": "BETWEEN"}]
    assert api.error("ListNamespaces", Filters=wrong).code == "InvalidInput"
    first = api("ListNamespaces", MaxResults=2)
    second = api("ListNamespaces", MaxResults=2, NextToken=first["NextToken"])
    assert [each["Name"] for each in (*first["Namespaces"], *second["Namespaces"])] == names()
    assert "NextToken" not in second
    assert api.error("ListNamespaces", NextToken="AAAA").code == "InvalidInput"


# ------------------------------------------------------------------------------------------------------ services


def test_a_service_is_shown_as_it_was_made(api: Api) -> None:
    config = {"RoutingPolicy": "WEIGHTED"}
    custom = {"FailureThreshold": 1}
    made = service(api, "web", "A", "SRV", DnsConfig=config, HealthCheckCustomConfig=custom, Description="d")
    shown = api("GetService", Id=made)["Service"]
    assert shown["DnsConfig"]["RoutingPolicy"] == "WEIGHTED"
    assert shown["DnsConfig"]["DnsRecords"] == [{"Type": "A", "TTL": 10}, {"Type": "SRV", "TTL": 10}]
    assert shown["HealthCheckCustomConfig"] == custom
    assert (shown["Type"], shown["InstanceCount"], shown["Description"]) == ("DNS_HTTP", 0, "d")
    assert api("ListServices")["Services"][0]["Arn"] == shown["Arn"]
    filters = [{"Name": "NAMESPACE_ID", "Values": [shown["NamespaceId"]]}]
    assert len(api("ListServices", Filters=filters)["Services"]) == 1
    filters[0]["Values"] = ["ns-other"]
    assert api("ListServices", Filters=filters)["Services"] == []


def test_a_service_that_is_there_already_is_refused_unless_the_request_is_repeated(api: Api) -> None:
    namespace_id = namespace(api)
    first = service(api, "web", "A", NamespaceId=namespace_id, CreatorRequestId="r")
    assert service(api, "web", "A", NamespaceId=namespace_id, CreatorRequestId="r") == first
    records = {"DnsRecords": [{"Type": "A", "TTL": 10}]}
    error = api.error("CreateService", Name="WEB", NamespaceId=namespace_id, DnsConfig=records)
    assert (error.code, error.members["ServiceId"]) == ("ServiceAlreadyExists", first)
    http = str(api("CreateHttpNamespace", Name="h")["OperationId"])
    http_id = api("GetOperation", OperationId=http)["Operation"]["Targets"]["NAMESPACE"]
    assert service(api, "web", NamespaceId=http_id) != service(api, "WEB", NamespaceId=http_id)


@pytest.mark.parametrize(
    "asked",
    [
        {"DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 1}, {"Type": "A", "TTL": 2}]}},
        {"DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 1}, {"Type": "CNAME", "TTL": 2}]}},
        {"DnsConfig": {"DnsRecords": [{"Type": "CNAME", "TTL": 2}], "RoutingPolicy": "MULTIVALUE"}},
        {"DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 1}]}, "Type": "HTTP"},
        {"HealthCheckConfig": {"Type": "HTTP"}},
    ],
)
def test_services_that_cannot_be_are_refused(api: Api, asked: dict[str, Any]) -> None:
    error = api.error("CreateService", Name="web", NamespaceId=namespace(api), **asked)
    assert error.code == "InvalidInput"


def test_a_services_records_can_get_other_times_and_its_description_changes(api: Api) -> None:
    made = service(api, "web", "A", "AAAA")
    records = [{"Type": "A", "TTL": 0}, {"Type": "AAAA", "TTL": 5}]
    done = api("UpdateService", Id=made, Service={"Description": "new", "DnsConfig": {"DnsRecords": records}})
    assert api("GetOperation", OperationId=done["OperationId"])["Operation"]["Targets"] == {"SERVICE": made}
    shown = api("GetService", Id=made)["Service"]
    assert (shown["Description"], shown["DnsConfig"]["DnsRecords"]) == ("new", records)
    api("UpdateService", Id=made, Service={"DnsConfig": {"DnsRecords": records[:1]}})
    assert api("GetService", Id=made)["Service"]["DnsConfig"]["DnsRecords"] == records[:1]


@pytest.mark.parametrize("types", [["CNAME"], ["AAAA"], ["A", "AAAA"], ["A", "A"]])
def test_a_services_records_keep_their_types(api: Api, types: list[str]) -> None:
    made = service(api, "web", "A")
    wrong = {"DnsConfig": {"DnsRecords": [{"Type": each, "TTL": 0} for each in types]}}
    assert api.error("UpdateService", Id=made, Service=wrong).code == "InvalidInput"


def test_a_service_in_an_http_namespace_is_not_updated(api: Api) -> None:
    made = service(api, "web", NamespaceId=target(api, api("CreateHttpNamespace", Name="calls")))
    error = api.error("UpdateService", Id=made, Service={"Description": "new"})
    assert (error.code, "HTTP namespace" in error.message) == ("InvalidInput", True)


def test_a_health_check_keeps_its_type_and_is_for_no_cname(api: Api) -> None:
    public = target(api, api("CreatePublicDnsNamespace", Name="example.com"))
    made = service(api, "web", "A", NamespaceId=public, HealthCheckConfig={"Type": "TCP"})
    changed = {"HealthCheckConfig": {"Type": "TCP", "FailureThreshold": 3}}
    api("UpdateService", Id=made, Service=changed)
    assert api("GetService", Id=made)["Service"]["HealthCheckConfig"] == changed["HealthCheckConfig"]
    for each in ({"Type": "HTTP"}, {"Type": "TCP", "ResourcePath": "/"}):
        assert api.error("UpdateService", Id=made, Service={"HealthCheckConfig": each}).code == "InvalidInput"
    cname = {"DnsRecords": [{"Type": "CNAME", "TTL": 1}]}
    asked = {"NamespaceId": public, "Name": "c", "DnsConfig": cname}
    assert "CNAME" in api.error("CreateService", **asked, HealthCheckConfig={"Type": "TCP"}).message
    plain = api("CreateService", **asked)["Service"]["Id"]
    assert "CNAME" in api.error("UpdateService", Id=plain, Service={"HealthCheckConfig": {"Type": "TCP"}}).message


@pytest.mark.parametrize(("name", "text"), [(".", "not a DNS name"), ("a..b", "not a DNS name"), ("a" * 64, "63")])
def test_a_service_with_records_needs_a_dns_name(api: Api, name: str, text: str) -> None:
    asked = {"Name": name, "NamespaceId": namespace(api), "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 1}]}}
    error = api.error("CreateService", **asked)
    assert (error.code, text in error.message) == ("InvalidInput", True)


def test_services_are_listed_by_their_namespace_whether_by_id_or_arn(api: Api) -> None:
    made, other = service(api, "web"), service(api, "web", NamespaceId=namespace(api, "other.internal"))
    for each in (made, other):
        place = api("GetService", Id=each)["Service"]["NamespaceId"]
        for reference in (place, api("GetNamespace", Id=place)["Namespace"]["Arn"]):
            filters = [{"Name": "NAMESPACE_ID", "Values": [reference]}]
            assert [found["Id"] for found in api("ListServices", Filters=filters)["Services"]] == [each]
    foreign = "arn:aws:servicediscovery:us-east-1:999999999999:namespace/" + place
    assert api("ListServices", Filters=[{"Name": "NAMESPACE_ID", "Values": [foreign]}])["Services"] == []


def test_a_service_has_attributes_of_its_own(api: Api) -> None:
    made = service(api)
    api("UpdateServiceAttributes", ServiceId=made, Attributes={"a": "1", "b": "2"})
    api("DeleteServiceAttributes", ServiceId=made, Attributes=["a", "x"])
    shown = api("GetServiceAttributes", ServiceId=made)["ServiceAttributes"]
    assert shown["Attributes"] == {"b": "2"}
    more = {f"n{number}": "" for number in range(30)}
    error = api.error("UpdateServiceAttributes", ServiceId=made, Attributes=more)
    assert error.code == "ServiceAttributesLimitExceededException"


# ----------------------------------------------------------------------------------------------------- instances


def test_instances_come_are_replaced_and_go_and_each_change_has_a_higher_revision(api: Api) -> None:
    made = service(api, "web", "A")
    names = {"NamespaceName": "example.internal", "ServiceName": "web"}
    revisions = [api("DiscoverInstancesRevision", **names)["InstancesRevision"]]
    register(api, made)
    revisions.append(api("DiscoverInstancesRevision", **names)["InstancesRevision"])
    register(api, made, AWS_INSTANCE_IPV4="10.0.0.6", color="blue")
    found = api("DiscoverInstances", **names)
    revisions.append(found["InstancesRevision"])
    assert [each["Attributes"] for each in found["Instances"]] == [{"AWS_INSTANCE_IPV4": "10.0.0.6", "color": "blue"}]
    assert found["Instances"][0]["HealthStatus"] == "UNKNOWN"
    assert api("GetService", Id=made)["Service"]["InstanceCount"] == 1
    assert api("GetInstance", ServiceId=made, InstanceId="one")["Instance"]["Attributes"]["color"] == "blue"
    assert [each["Id"] for each in api("ListInstances", ServiceId=made)["Instances"]] == ["one"]
    done = api("DeregisterInstance", ServiceId=made, InstanceId="one")["OperationId"]
    assert api("GetOperation", OperationId=done)["Operation"]["Targets"] == {"INSTANCE": "one", "SERVICE": made}
    revisions.append(api("DiscoverInstancesRevision", **names)["InstancesRevision"])
    assert revisions == sorted(set(revisions))
    assert api.error("GetInstance", ServiceId=made, InstanceId="one").code == "InstanceNotFound"
    assert api.error("DeregisterInstance", ServiceId=made, InstanceId="one").code == "InstanceNotFound"


@pytest.mark.parametrize(
    ("types", "attributes"),
    [
        (("A",), {"AWS_INSTANCE_IPV6": "::1"}),
        (("A",), {"AWS_INSTANCE_IPV4": "10.0.0"}),
        (("A", "AAAA"), {"AWS_INSTANCE_IPV4": "10.0.0.1"}),
        (("SRV",), {"AWS_INSTANCE_IPV4": "10.0.0.1"}),
        (("SRV",), {"AWS_INSTANCE_PORT": "80"}),
        (("SRV",), {"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_PORT": "0"}),
        (("CNAME",), {"AWS_INSTANCE_IPV4": "10.0.0.1"}),
        (("CNAME",), {"AWS_INSTANCE_CNAME": "a..b"}),
        (("A",), {"AWS_ALIAS_DNS_NAME": "lb.example.com"}),
        ((), {"AWS_EC2_INSTANCE_ID": "i-1"}),
        ((), {f"n{number}": "v" for number in range(31)}),
        ((), {f"n{number}": "v" * 1024 for number in range(5)}),
    ],
)
def test_an_instance_must_have_what_its_services_records_are_made_of(
    api: Api, types: tuple[str, ...], attributes: dict[str, str]
) -> None:
    made = service(api, "web", *types)
    error = api.error("RegisterInstance", ServiceId=made, InstanceId="one", Attributes=attributes)
    assert error.code == "InvalidInput"


def test_who_is_unhealthy_is_not_discovered_unless_all_are_or_all_are_asked_for(api: Api) -> None:
    made = service(api, "web", "A", HealthCheckCustomConfig={})
    register(api, made, "one")
    register(api, made, "two", AWS_INSTANCE_IPV4="10.0.0.2", AWS_INIT_HEALTH_STATUS="UNHEALTHY")
    assert discovered(api) == discovered(api, HealthStatus="HEALTHY") == ["one"]
    assert discovered(api, HealthStatus="UNHEALTHY") == ["two"]
    assert discovered(api, HealthStatus="ALL") == ["one", "two"]
    api("UpdateInstanceCustomHealthStatus", ServiceId=made, InstanceId="one", Status="UNHEALTHY")
    assert discovered(api, HealthStatus="HEALTHY") == []
    assert discovered(api) == discovered(api, HealthStatus="HEALTHY_OR_ELSE_ALL") == ["one", "two"]
    health = api("GetInstancesHealthStatus", ServiceId=made)["Status"]
    assert health == {"one": "UNHEALTHY", "two": "UNHEALTHY"}
    asked = {"ServiceId": made, "Instances": ["three"]}
    assert api.error("GetInstancesHealthStatus", **asked).code == "InstanceNotFound"


def test_without_a_health_check_nobody_says_who_is_healthy(api: Api) -> None:
    made = service(api, "web", "A")
    register(api, made)
    asked = {"ServiceId": made, "InstanceId": "one", "Status": "UNHEALTHY"}
    assert api.error("UpdateInstanceCustomHealthStatus", **asked).code == "CustomHealthNotFound"
    assert discovered(api, HealthStatus="UNHEALTHY") == ["one"]


def test_instances_are_discovered_by_their_attributes(api: Api) -> None:
    made = service(api)
    register(api, made, "one", color="blue", stage="a")
    register(api, made, "two", color="blue", stage="b")
    register(api, made, "three", color="red", stage="a")
    assert discovered(api, QueryParameters={"color": "blue"}) == ["one", "two"]
    assert discovered(api, QueryParameters={"color": "blue", "stage": "b"}) == ["two"]
    assert discovered(api, QueryParameters={"color": "green"}) == []
    assert discovered(api, QueryParameters={"color": "blue"}, OptionalParameters={"stage": "a"}) == ["one"]
    assert discovered(api, QueryParameters={"color": "blue"}, OptionalParameters={"stage": "c"}) == ["one", "two"]


def test_a_hundred_instances_are_discovered_unless_more_are_asked_for(api: Api) -> None:
    made = service(api)
    for number in range(120):
        register(api, made, f"i{number}", n=str(number))
    assert len(set(discovered(api))) == 100
    assert len(discovered(api, MaxResults=3)) == 3
    assert len(discovered(api, MaxResults=1000)) == 120


def test_instances_are_discovered_in_random_order_though_all_are_asked_for(api: Api) -> None:
    made = service(api)
    for name in ("a", "b", "c"):
        register(api, made, name, n=name)
    asked = {"NamespaceName": "example.internal", "ServiceName": "web"}
    orders = set()
    for _ in range(200):
        found = [each["InstanceId"] for each in api("DiscoverInstances", **asked)["Instances"]]
        assert sorted(found) == ["a", "b", "c"]
        orders.add(tuple(found))
    assert len(orders) == 6


def test_discovery_says_whether_namespace_or_service_is_missing(api: Api) -> None:
    asked = {"NamespaceName": "example.internal", "ServiceName": "web"}
    assert api.error("DiscoverInstances", **asked).code == "NamespaceNotFound"
    service(api, "other")
    assert api.error("DiscoverInstances", **asked).code == "ServiceNotFound"
    assert api.error("DiscoverInstances", **asked, OwnerAccount="999999999999").code == "NamespaceNotFound"


def test_a_user_may_take_away_what_ecs_registered(api: Api) -> None:
    made = service(api, "web", "A")
    place: dict[str, Any] = {"account": SCOPE.account, "region": SCOPE.region, "registered_at": api.now}
    api.put(ServiceInstance(**place, service_id=made, instance_id="task", task_id="task"))
    api("DeregisterInstance", ServiceId=made, InstanceId="task")
    assert discovered(api) == []


def test_what_is_checked_has_an_address(api: Api) -> None:
    public = target(api, api("CreatePublicDnsNamespace", Name="example.com"))
    check = {"Type": "HTTP", "FailureThreshold": 3}
    checked = service(api, "web", NamespaceId=public, HealthCheckConfig=check)
    shown = api("GetService", Id=checked)["Service"]["HealthCheckConfig"]
    assert shown == {**check, "ResourcePath": "/"}
    asked = {"ServiceId": checked, "InstanceId": "one", "Attributes": {"color": "blue"}}
    assert "HealthCheckConfig" in api.error("RegisterInstance", **asked).message
    register(api, checked)
    assert api("GetInstancesHealthStatus", ServiceId=checked)["Status"] == {"one": "HEALTHY"}
    api("UpdateService", Id=checked, Service={"Description": "d"})
    assert "HealthCheckConfig" not in api("GetService", Id=checked)["Service"]


ALIAS = "AWS_ALIAS_DNS_NAME"


def test_an_alias_to_a_load_balancer_needs_no_address_though_others_are_checked(api: Api) -> None:
    public = target(api, api("CreatePublicDnsNamespace", Name="example.com"))
    weighted = {"RoutingPolicy": "WEIGHTED"}
    checked = service(api, "web", "A", NamespaceId=public, DnsConfig=weighted, HealthCheckConfig={"Type": "TCP"})
    for number, name in enumerate(("front-1.us-east-1.elb.localhost", "dualstack.Front-1.us-east-1.elb.internal.")):
        register(api, checked, f"i{number}", **{ALIAS: name})
    assert api("GetInstancesHealthStatus", ServiceId=checked)["Status"] == {"i0": "HEALTHY", "i1": "HEALTHY"}
    custom = service(api, "own", "A", NamespaceId=public, DnsConfig=weighted, HealthCheckCustomConfig={})
    for made, attributes, text in (
        (checked, {ALIAS: "lb.example.com"}, "DescribeLoadBalancers"),
        (checked, {ALIAS: "elb.localhost"}, "DescribeLoadBalancers"),
        (checked, {ALIAS: "a.elb.localhost", "AWS_INSTANCE_PORT": "80"}, "stands alone"),
        (custom, {ALIAS: "front-1.us-east-1.elb.localhost"}, "HealthCheckCustomConfig"),
    ):
        error = api.error("RegisterInstance", ServiceId=made, InstanceId="x", Attributes=attributes)
        assert (error.code, text in error.message) == ("InvalidInput", True)


# -------------------------------------------------------------------------------------------- operations and tags


def test_operations_are_listed_by_what_they_did(api: Api) -> None:
    made = service(api, "web", "A")
    register(api, made)

    def listed(name: str, *values: str, condition: str = "EQ") -> int:
        filters = [{"Name": name, "Values": list(values), "Condition": condition}]
        return len(api("ListOperations", Filters=filters)["Operations"])

    assert len(api("ListOperations")["Operations"]) == 2
    assert listed("TYPE", "REGISTER_INSTANCE") == listed("SERVICE_ID", made) == 1
    assert listed("STATUS", "SUCCESS") == 2
    assert listed("STATUS", "FAIL", "PENDING", condition="IN") == 0
    now = int(api.now * 1000)
    assert listed("UPDATE_DATE", str(now - 1), str(now + 1), condition="BETWEEN") == 2
    assert listed("UPDATE_DATE", "0", str(now - 1), condition="BETWEEN") == 0
    filters = [{"Name": "UPDATE_DATE", "Values": ["x", "y"], "Condition": "BETWEEN"}]
    assert api.error("ListOperations", Filters=filters).code == "InvalidInput"
    assert api.error("GetOperation", OperationId="none").code == "OperationNotFound"


def test_namespaces_and_services_have_tags(api: Api) -> None:
    made = service(api, Tags=[{"Key": "a", "Value": "1"}])
    arn = api("GetService", Id=made)["Service"]["Arn"]
    api("TagResource", ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    api("UntagResource", ResourceARN=arn, TagKeys=["a", "x"])
    assert api("ListTagsForResource", ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(51)]
    assert api.error("TagResource", ResourceARN=arn, Tags=many).code == "TooManyTagsException"
    reserved = [{"Key": "aws:x", "Value": ""}]
    assert api.error("TagResource", ResourceARN=arn, Tags=reserved).code == "InvalidInput"
    assert api.error("ListTagsForResource", ResourceARN=f"{arn}x").code == "ResourceNotFoundException"
    assert api.error("ListTagsForResource", ResourceARN="arn:aws:ecs:::x").code == "InvalidInput"


# ------------------------------------------------------------------------------------------------ again, and in pages


def test_what_was_deleted_can_be_made_again_under_its_name(api: Api) -> None:
    ids = set()
    for _ in range(3):
        made = service(api, "web", "A")
        register(api, made)
        ids.add(made)
        api("DeregisterInstance", ServiceId=made, InstanceId="one")
        namespace_id = api("GetService", Id=made)["Service"]["NamespaceId"]
        api("DeleteService", Id=made)
        api("DeleteNamespace", Id=namespace_id)
    assert len(ids) == 3


def test_pages_show_each_thing_once_while_others_are_made(api: Api) -> None:
    namespace_id = namespace(api)
    made = service(api, "first", "A", NamespaceId=namespace_id)

    def add(number: int) -> None:
        namespace(api, f"n{number}.internal")
        service(api, f"s{number}", NamespaceId=namespace_id)
        register(api, made, f"i{number}")
        api.now += 1

    for number in range(6):
        add(number)
    for operation, member, name, asked in (
        ("ListNamespaces", "Namespaces", "Id", {}),
        ("ListServices", "Services", "Id", {}),
        ("ListInstances", "Instances", "Id", {"ServiceId": made}),
        ("ListOperations", "Operations", "Id", {}),
    ):
        before = {each[name] for each in api(operation, **asked)[member]}
        shown: list[str] = []
        token: dict[str, Any] = {}
        for number in range(100):
            page = api(operation, MaxResults=2, **asked, **token)
            shown += [each[name] for each in page[member]]
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
            if number < 2:
                add(len(list(api.store.all(Namespace))) + 100)
        assert len(shown) == len(set(shown)), operation
        assert before <= set(shown), operation
