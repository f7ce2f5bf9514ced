"""What `test_coverage_truth.py` plays of Cloud Map and Route 53: each operation, with all that it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from longshore.domain.ec2.network import Vpc
from longshore.domain.elbv2.hosted_zones import hosted_zone
from longshore.domain.names.zone import HostedZone, ZoneVpc
from longshore.wire.errors import ApiError
from tests.support.api import SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.api import Api

TAGS = [{"Key": "k", "Value": "v"}]
PROPERTIES = {"DnsProperties": {"SOA": {"TTL": 5}}}


def play_servicediscovery(call: Callable[..., dict[str, Any]], _api: Api) -> None:
    """Each operation of Cloud Map."""

    def made(operation: str, **asked: Any) -> str:
        done = call(operation, CreatorRequestId=operation, Description="d", Tags=TAGS, **asked)
        found = call("GetOperation", OperationId=done["OperationId"])["Operation"]
        return str(found["Targets"]["NAMESPACE"])

    private = made("CreatePrivateDnsNamespace", Name="a.internal", Vpc="vpc-1", Properties=PROPERTIES)
    public = made("CreatePublicDnsNamespace", Name="a.example.com", Properties=PROPERTIES)
    http = made("CreateHttpNamespace", Name="a")
    change = {"Description": "e", "Properties": PROPERTIES}
    call("UpdatePrivateDnsNamespace", Id=private, Namespace=change, UpdaterRequestId="u1")
    call("UpdatePublicDnsNamespace", Id=public, Namespace=change, UpdaterRequestId="u2")
    call("UpdateHttpNamespace", Id=http, Namespace={"Description": "e"}, UpdaterRequestId="u3")
    call("GetNamespace", Id=private)
    call("ListNamespaces", Filters=[{"Name": "TYPE", "Values": ["HTTP"], "Condition": "EQ"}])
    _play_services(call, private, public)
    call("DeleteNamespace", Id=http)
    call("ListOperations", Filters=[{"Name": "STATUS", "Values": ["SUCCESS"], "Condition": "EQ"}])


def _play_services(call: Callable[..., dict[str, Any]], private: str, public: str) -> None:
    config = {"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": "A", "TTL": 5}]}
    whole = {"CreatorRequestId": "s", "Description": "d", "Tags": TAGS, "DnsConfig": config}
    made = call("CreateService", Name="web", NamespaceId=private, HealthCheckCustomConfig={}, Type=None, **whole)
    service, arn = made["Service"]["Id"], made["Service"]["Arn"]
    check = {"Type": "HTTP", "ResourcePath": "/", "FailureThreshold": 2}
    old = {**config, "NamespaceId": public}
    checked = call("CreateService", Name="web", DnsConfig=old, HealthCheckConfig=check)["Service"]["Id"]
    call("UpdateService", Id=checked, Service={"Description": "d", "DnsConfig": config, "HealthCheckConfig": check})
    call("GetService", Id=service)
    call("ListServices", Filters=[{"Name": "NAMESPACE_ID", "Values": [private], "Condition": "EQ"}])
    call("UpdateServiceAttributes", ServiceId=service, Attributes={"a": "b"})
    call("GetServiceAttributes", ServiceId=service)
    call("DeleteServiceAttributes", ServiceId=service, Attributes=["a"])
    call("TagResource", ResourceARN=arn, Tags=TAGS)
    call("ListTagsForResource", ResourceARN=arn)
    call("UntagResource", ResourceARN=arn, TagKeys=["k"])
    instance = {"ServiceId": service, "InstanceId": "one"}
    call("RegisterInstance", **instance, Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"}, CreatorRequestId="r")
    call("GetInstance", **instance)
    call("ListInstances", ServiceId=service)
    call("UpdateInstanceCustomHealthStatus", **instance, Status="UNHEALTHY")
    call("GetInstancesHealthStatus", ServiceId=service)
    names = {"NamespaceName": "a.internal", "ServiceName": "web"}
    call("DiscoverInstances", **names, QueryParameters={"a": "b"}, OptionalParameters={"c": "d"})
    call("DiscoverInstancesRevision", **names)
    call("DeregisterInstance", **instance)
    call("DeleteService", Id=service)


def play_route53(call: Callable[..., dict[str, Any]], api: Api) -> None:
    """Each operation of Route 53."""
    vpc = {"VPCId": "vpc-1", "VPCRegion": "us-east-1"}
    config = {"Comment": "c", "PrivateZone": True}
    made = call("CreateHostedZone", Name="a.internal", CallerReference="r", VPC=vpc, HostedZoneConfig=config)
    zone = made["HostedZone"]["Id"]
    call("GetChange", Id=made["ChangeInfo"]["Id"])
    call("GetHostedZone", Id=zone)
    call("GetHostedZoneCount")
    call("GetDNSSEC", HostedZoneId=call("CreateHostedZone", Name="a.com", CallerReference="p")["HostedZone"]["Id"])
    call("ListHostedZones", MaxItems="1", HostedZoneType="PrivateHostedZone")
    call("ListHostedZonesByName", DNSName="a.internal", HostedZoneId=zone)
    call("ListHostedZonesByVPC", **vpc)
    call("UpdateHostedZoneComment", Id=zone, Comment="d")
    call("AssociateVPCWithHostedZone", HostedZoneId=zone, VPC=vpc, Comment="c")
    with pytest.raises(ApiError):
        call("DisassociateVPCFromHostedZone", HostedZoneId=zone, VPC=vpc)
    call("DisassociateVPCFromHostedZone", **_in_two_vpcs(api, zone))
    zone_id, target = hosted_zone("us-east-1", "network"), "x.us-east-1.elb.localhost"
    alias = {"HostedZoneId": zone_id, "DNSName": target, "EvaluateTargetHealth": True}
    sets: list[dict[str, Any]] = [
        {"Name": "a.a.internal", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "10.0.0.1"}]},
        {"Name": "b.a.internal", "Type": "A", "SetIdentifier": "b", "Weight": 1, "AliasTarget": alias},
    ]
    changes = [{"Action": "CREATE", "ResourceRecordSet": each} for each in sets]
    call("ChangeResourceRecordSets", HostedZoneId=zone, ChangeBatch={"Changes": changes, "Comment": "c"})
    start = {"StartRecordName": "b.a.internal", "StartRecordType": "A", "StartRecordIdentifier": "b"}
    call("ListResourceRecordSets", HostedZoneId=zone, MaxItems="1", **start)
    gone = [{**each, "Action": "DELETE"} for each in changes]
    call("ChangeResourceRecordSets", HostedZoneId=zone, ChangeBatch={"Changes": gone})
    resource = {"ResourceType": "hostedzone", "ResourceId": zone}
    call("ChangeTagsForResource", **resource, AddTags=TAGS, RemoveTagKeys=["x"])
    call("ListTagsForResource", **resource)
    call("ListTagsForResources", ResourceType="hostedzone", ResourceIds=[zone])
    call("DeleteHostedZone", Id=zone)


def _in_two_vpcs(api: Api, zone_id: str) -> dict[str, Any]:
    """A zone that is known in another VPC, too, and that VPC."""
    api.put(Vpc(account=SCOPE.account, region=SCOPE.region, vpc_id="vpc-2", cidr="10.0.0.0/16"))
    found = api.store.get(HostedZone, (SCOPE.account, "", zone_id.removeprefix("/hostedzone/")))
    assert found is not None
    api.put(found.but(vpcs=(*found.vpcs, ZoneVpc(region=SCOPE.region, vpc_id="vpc-2"))))
    return {"HostedZoneId": zone_id, "VPC": {"VPCId": "vpc-2", "VPCRegion": SCOPE.region}, "Comment": "c"}
