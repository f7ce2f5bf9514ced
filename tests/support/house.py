"""A control plane without an engine, with a few things in it: what hostile requests are asked of, in process.

Every service that is declared (`longshore.api.services.SERVICES`) is served. `mark` is all that a request could have
changed; tests compare it from before and after.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser

from longshore.api.access.access import Access
from longshore.api.access.keys import UserKeys
from longshore.api.app import Chain
from longshore.api.callers.auth import Gate, Listener
from longshore.api.callers.credentials import Credentials
from longshore.api.ec2.defaults import seed, seeded
from longshore.api.ecr.pushing import write_image
from longshore.api.metrics.page import Metrics
from longshore.api.services import SERVICES
from longshore.domain.ec2.network import SecurityGroup, Subnet, Vpc
from longshore.domain.ecr.manifest import read_manifest
from longshore.domain.ecr.repository import Image, ImageTag, Repository
from longshore.domain.ecs.cluster import Cluster, Host
from longshore.domain.ecs.service import Deployment, Service
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.domain.elbv2.balancer import Listener as BalancerListener
from longshore.domain.elbv2.balancer import LoadBalancer, Rule, TargetGroup, TrustStore
from longshore.domain.elbv2.certificate import Certificate
from longshore.domain.kinds import KINDS
from longshore.domain.log import LogStream
from longshore.domain.names.naming import DiscoveryService, Namespace, NamingOperation
from longshore.domain.names.zone import HostedZone
from longshore.domain.record import Record, Scope
from longshore.store.events import EventLog
from longshore.store.open import open_store
from longshore.vault import MasterVault
from tests.support import house_around, identities
from tests.support.certificates import make, revoking
from tests.support.ecr import index, manifest
from tests.support.house_networks import furnish_networks, known_networks, network_examples
from tests.support.house_secrets import SERVICES as SECRET_SERVICES
from tests.support.house_secrets import furnish_secrets, known_secrets, secret_examples
from tests.support.play_ecr import LIFECYCLE, POLICY
from tests.support.wire_samples import client_request, service_model
from tests.support.world import SeededIds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from longshore.store.store import Transaction
    from longshore.wire.http import HttpResponse

ACCOUNT, REGION = "123456789012", "eu-west-1"
MASTER_KEY = b"m" * 32
NOT_FOUND = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
INSTANCE = {"AWS_INSTANCE_IPV4": "172.31.0.201", "AWS_INSTANCE_PORT": "80", "color": "blue"}
RECORD_SETS: list[dict[str, Any]] = [
    {"Name": "web.b.internal", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "172.31.0.201"}]},
    {"Name": "*.b.internal", "Type": "TXT", "TTL": 5, "ResourceRecords": [{"Value": '"a"'}]},
]
EC = "EC_prime256v1"
"""The kind of key that costs no time to make."""
TRUSTING = Listener("fuzz", signatures=False)
SERVED = {(service.name, name): operation for service in SERVICES for name, operation in service.operations.items()}
OPERATIONS = sorted(SERVED)


class Clock:
    """Time that passes by a second with every look."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def now(self) -> float:
        self.time += 1.0
        return self.time


class House:
    """A control plane without an engine, that starts again with the same few things in it."""

    def __init__(self) -> None:
        self.store = open_store(None, KINDS)
        self.events = EventLog()
        self.ids = SeededIds()
        self.clock = Clock()
        self.credentials = Credentials(MASTER_KEY, ACCOUNT)
        vault = MasterVault(MASTER_KEY)
        root = make("root", ca=True)
        self._bundle = {"CaCertificatesBundleS3Bucket": "inline", "CaCertificatesBundleS3Key": root.pem.decode()}
        self._revocations = revoking(root, 1)
        self._furnished: list[Record] = []
        """Everything that there is at first, once that is made."""
        self.chain = Chain(
            store=self.store,
            events=self.events,
            services=SERVICES,
            gate=Gate(self.credentials, UserKeys(self.store, vault), ACCOUNT, REGION),
            access=Access(self.credentials),
            clock=self.clock,
            ids=self.ids,
            vault=vault,
            metrics=Metrics(self.store),
            prepare=self._prepare,
        )

    def _prepare(self, tx: Transaction, scope: Scope) -> None:
        if not seeded(tx, scope):
            seed(tx, scope, "172.31.0.0/16", self.ids, self.clock.now())

    async def start_again(self) -> None:
        """The same state whatever was asked before: made once, and then put back."""
        with self.store.transaction() as tx:
            for kind in KINDS:
                for record in list(tx.all(kind)):
                    tx.delete(kind, record.key)
            for record in self._furnished:
                tx.put(record)
        self.events.clear()
        self.ids._random.seed(1)
        self.clock.time = 1_700_000_000.0
        if not self._furnished:
            await self._furnish()
            self._furnished = [record for kind in KINDS for record in self.store.all(kind)]
        events = [{"timestamp": int(self.clock.time * 1000) + n, "message": f"line {n}"} for n in range(5)]
        await self.ok("logs", "PutLogEvents", logGroupName="/app", logStreamName="one", logEvents=events)

    async def _furnish(self) -> None:
        with self.store.transaction() as tx:
            tx.put(Host(account="", region="", cpu_units=2**16, memory_mib=2**16))
        subnets = await self.ok("ec2", "DescribeSubnets")
        awsvpc = {"awsvpcConfiguration": {"subnets": [s["SubnetId"] for s in subnets["Subnets"]]}}
        await self.ok("ecs", "CreateCluster", clusterName="default")
        await self.ok("ecs", "CreateCluster", clusterName="other", tags=[{"key": "a", "value": "b"}])
        for _ in range(2):
            await self.ok(
                "ecs",
                "RegisterTaskDefinition",
                family="web",
                networkMode="awsvpc",
                cpu="256",
                memory="512",
                requiresCompatibilities=["FARGATE"],
                containerDefinitions=[{"name": "app", "image": "app", "portMappings": [{"containerPort": 80}]}],
            )
        shared: dict[str, Any] = {"taskDefinition": "web", "launchType": "FARGATE", "networkConfiguration": awsvpc}
        await self.ok("ecs", "CreateService", serviceName="front", desiredCount=2, **shared)
        await self.ok("ecs", "CreateService", serviceName="back", desiredCount=0, cluster="other", **shared)
        await self.ok("ecs", "RunTask", count=4, startedBy="me", clientToken="once", **shared)
        await self.ok("logs", "CreateLogGroup", logGroupName="/app")
        await self.ok("logs", "CreateLogStream", logGroupName="/app", logStreamName="one")
        for number in range(2):
            await self.ok("acm", "RequestCertificate", DomainName=f"n{number}.example.com", KeyAlgorithm=EC)
        await self._furnish_balancers([s["SubnetId"] for s in subnets["Subnets"]])
        await self._furnish_names()
        await furnish_networks(self.ok, self._vpc_id())
        await identities.furnish(self)
        await furnish_secrets(self)
        await self._furnish_repositories()
        await house_around.furnish(self)
        with self.store.transaction() as tx:
            for number, task in enumerate(tx.select(Task, "live", ())):
                now = self.clock.now()
                if number % 2:
                    tx.put(task.but(last_status="RUNNING", started_at=now))
                elif number == 2:
                    tx.put(task.but(last_status="STOPPED", desired_status="STOPPED", stopped_at=now))

    async def _furnish_balancers(self, subnets: list[str]) -> None:
        vpc_id = self._vpc_id()
        await self.ok("elbv2", "CreateLoadBalancer", Name="front", Subnets=subnets, Tags=[{"Key": "a", "Value": "b"}])
        await self.ok("elbv2", "CreateLoadBalancer", Name="inner", Subnets=subnets, Type="network", Scheme="internal")
        for name, protocol in (("web", "HTTP"), ("raw", "TCP")):
            group = {"Name": name, "Protocol": protocol, "Port": 80, "VpcId": vpc_id, "TargetType": "ip"}
            made = await self.ok("elbv2", "CreateTargetGroup", **group)
            arn = made["TargetGroups"][0]["TargetGroupArn"]
            await self.ok("elbv2", "RegisterTargets", TargetGroupArn=arn, Targets=[{"Id": "172.31.0.200"}])
        await self._furnish_listeners()

    async def _furnish_names(self) -> None:
        vpc_id = self._vpc_id()
        await self.ok("servicediscovery", "CreatePrivateDnsNamespace", Name="a.internal", Vpc=vpc_id)
        await self.ok("servicediscovery", "CreateHttpNamespace", Name="a")
        for namespace in list(self.store.all(Namespace)):
            asked: dict[str, Any] = {
                "Name": "web",
                "NamespaceId": namespace.namespace_id,
                "HealthCheckCustomConfig": {},
            }
            if namespace.hosted_zone_id:
                asked["DnsConfig"] = {"DnsRecords": [{"Type": "A", "TTL": 5}, {"Type": "SRV", "TTL": 5}]}
            await self.ok("servicediscovery", "CreateService", **asked)
        vpc = {"VPCId": vpc_id, "VPCRegion": REGION}
        made = await self.ok("route53", "CreateHostedZone", Name="b.internal", CallerReference="b", VPC=vpc)
        changes = [{"Action": "CREATE", "ResourceRecordSet": each} for each in RECORD_SETS]
        batch = {"HostedZoneId": made["HostedZone"]["Id"], "ChangeBatch": {"Changes": changes}}
        await self.ok("route53", "ChangeResourceRecordSets", **batch)
        for service in list(self.store.all(DiscoveryService)):
            for number in range(3):
                instance = {"ServiceId": service.service_id, "InstanceId": f"i{number}", "Attributes": INSTANCE}
                await self.ok("servicediscovery", "RegisterInstance", **instance)

    async def _furnish_repositories(self) -> None:
        """Two repositories; in one, two images that share a layer, and a list of both."""
        await self.ok("ecr", "CreateRepository", repositoryName="app/web", tags=[{"Key": "a", "Value": "b"}])
        await self.ok("ecr", "CreateRepository", repositoryName="empty", imageTagMutability="IMMUTABLE")
        images = [manifest("one"), manifest("two")]
        with self.store.transaction() as tx:
            found = next(each for each in tx.all(Repository) if each.name == "app/web")
            for number, text in enumerate([*images, index(*images)]):
                write_image(tx, found, text, read_manifest(text), f"v{number}", self.clock.now())
        await self.ok("ecr", "PutLifecyclePolicy", repositoryName="app/web", lifecyclePolicyText=LIFECYCLE)
        await self.ok("ecr", "SetRepositoryPolicy", repositoryName="app/web", policyText=POLICY)
        await self.ok("ecr", "PutRegistryPolicy", policyText=POLICY)
        await self.ok("ecr", "StartLifecyclePolicyPreview", repositoryName="app/web")

    async def _furnish_listeners(self) -> None:
        balancers = {balancer.name: balancer.arn for balancer in self.store.all(LoadBalancer)}
        groups = {group.name: group.arn for group in self.store.all(TargetGroup)}
        http = {"LoadBalancerArn": balancers["front"], "Protocol": "HTTP", "Port": 80, "DefaultActions": [NOT_FOUND]}
        made = await self.ok("elbv2", "CreateListener", **http)
        forward = {"Type": "forward", "TargetGroupArn": groups["web"]}
        rule = {"Conditions": [{"Field": "path-pattern", "Values": ["/a"]}], "Actions": [forward]}
        for priority in (1, 2):
            arn = made["Listeners"][0]["ListenerArn"]
            await self.ok("elbv2", "CreateRule", ListenerArn=arn, Priority=priority, **rule)
        certificates = [{"CertificateArn": next(self.store.all(Certificate)).arn}]
        https = {**http, "Protocol": "HTTPS", "Port": 443, "Certificates": certificates}
        await self.ok("elbv2", "CreateListener", **https)
        to_raw = [{"Type": "forward", "TargetGroupArn": groups["raw"]}]
        tcp = {"LoadBalancerArn": balancers["inner"], "Protocol": "TCP", "Port": 80, "DefaultActions": to_raw}
        await self.ok("elbv2", "CreateListener", **tcp)
        await self.ok("elbv2", "CreateTrustStore", Name="clients", **self._bundle)

    def mark(self) -> tuple[Any, ...]:
        """The whole state: the store's revision and records, and what the event log holds of each stream."""
        records = [msgspec.json.encode(list(self.store.all(kind))) for kind in KINDS]
        streams = [(stream.uid, self.events.bounds(stream.uid)) for stream in self.store.all(LogStream)]
        return self.store.revision, records, streams

    async def ok(self, service: str, operation: str, **params: Any) -> Any:
        model = service_model(service).operation_model(operation)
        protocol = protocols(service)[0]
        answer = await self.chain.answer(client_request(service, model, params, protocol), TRUSTING)
        assert answer.status < 300, answer
        return read(protocol, answer, model)

    def known(self) -> dict[str, list[str]]:
        """Names of what exists, by the members that take them (in small letters)."""
        read = self.store
        clusters = [each for c in read.all(Cluster) for each in (c.name, c.arn)]
        services = [each for s in read.all(Service) for each in (s.name, s.arn)]
        tasks = [each for t in read.all(Task) for each in (t.task_id, t.arn)]
        definitions = [each for d in read.all(TaskDefinition) for each in (d.arn, f"{d.family}:{d.revision}", d.family)]
        subnets = [s.subnet_id for s in read.all(Subnet)]
        groups = [g.group_id for g in read.all(SecurityGroup)]
        vpcs = [v.vpc_id for v in read.all(Vpc)]
        deployments = [arn for d in read.all(Deployment) if (arn := d.service_deployment_arn)]
        revisions = [arn for d in read.all(Deployment) if (arn := d.revision_arn)]
        streams = ["one", "o"]
        balancers = [balancer.arn for balancer in read.all(LoadBalancer)]
        target_groups = [group.arn for group in read.all(TargetGroup)]
        listeners = [listener.arn for listener in read.all(BalancerListener)]
        rules = [r.arn for r in read.all(Rule)] + [listener.default_rule_arn for listener in read.all(BalancerListener)]
        trust_stores = [store.arn for store in read.all(TrustStore)]
        logs = ["/app", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/app"]
        arns = [each for each in (*clusters, *services, *tasks, *definitions, *logs) if each.startswith("arn:")]
        return {
            **dict.fromkeys(("cluster", "clusters", "clustername"), clusters),
            **dict.fromkeys(("service", "services", "servicename"), services),
            **dict.fromkeys(("task", "tasks"), tasks),
            **dict.fromkeys(("taskdefinition", "taskdefinitions", "family", "familyprefix"), definitions),
            **dict.fromkeys(("subnets", "subnetids"), subnets),
            **dict.fromkeys(("securitygroups", "groupids"), groups),
            **dict.fromkeys(("vpcid", "vpcids"), vpcs),
            "resourcearn": arns,
            **dict.fromkeys(("servicedeploymentarn", "servicedeploymentarns"), deployments),
            "servicerevisionarns": revisions,
            **dict.fromkeys(("loggroupname", "loggroupidentifier", "loggroupidentifiers", "loggroupnameprefix"), logs),
            **dict.fromkeys(("logstreamname", "logstreamnames", "logstreamnameprefix"), streams),
            **dict.fromkeys(("loadbalancerarn", "loadbalancerarns"), balancers),
            **dict.fromkeys(("targetgrouparn", "targetgrouparns"), target_groups),
            **dict.fromkeys(("listenerarn", "listenerarns"), listeners),
            **dict.fromkeys(("rulearn", "rulearns"), rules),
            **dict.fromkeys(("truststorearn", "truststorearns"), trust_stores),
            "resourcearns": [*balancers, *target_groups, *listeners, *rules, *trust_stores],
            "certificatearn": [c.arn for c in read.all(Certificate)],
            "keyalgorithm": [EC],
            "clienttoken": ["once", "again"],
            "launchtype": ["FARGATE"],
            **self._known_names(),
            **known_networks(read),
            **identities.known(self.store),
            **known_secrets(self),
            **self._known_images(),
            **house_around.known(self.store),
        }

    def _known_images(self) -> dict[str, list[str]]:
        """Those of ECR."""
        repositories = [repository.name for repository in self.store.all(Repository)]
        images = list(self.store.all(Image))
        layers = [blob.digest for image in images for blob in image.blobs]
        return {
            **dict.fromkeys(("repositoryname", "repositorynames"), repositories),
            "imagedigest": [image.digest for image in images],
            "imagetag": [tag.tag for tag in self.store.all(ImageTag)],
            "imagemanifest": [image.manifest for image in images],
            "layerdigest": layers,
            "layerdigests": layers,
            "registryid": [ACCOUNT],
            "lifecyclepolicytext": [LIFECYCLE],
            "policytext": [POLICY],
        }

    def _known_names(self) -> dict[str, list[str]]:
        """Those of Cloud Map. `Id` is one of a namespace or a service, as is asked for."""
        namespaces = [namespace.namespace_id for namespace in self.store.all(Namespace)]
        services = [service.service_id for service in self.store.all(DiscoveryService)]
        return {
            "namespaceid": namespaces,
            "hostedzoneid": [zone.zone_id for zone in self.store.all(HostedZone)],
            "maxitems": ["1", "100"],
            "serviceid": services,
            "id": [*namespaces, *services],
            "instanceid": ["i0", "i1", "i2"],
            "instances": ["i0", "i1", "i2"],
            "namespacename": ["a", "a.internal"],
            "operationid": [operation.operation_id for operation in self.store.all(NamingOperation)],
            "vpc": [vpc.vpc_id for vpc in self.store.all(Vpc)],
        }

    def _vpc_id(self) -> str:
        """The default VPC, or another once that is gone."""
        return next((vpc.vpc_id for vpc in self.store.all(Vpc)), "vpc-0")

    def example(self, service: str, operation: str) -> dict[str, Any]:
        """What an operation takes that hardly takes anything drawn at random."""
        own: dict[str, Callable[[], Mapping[str, dict[str, Any]]]] = {
            "ecr": self._image_examples,
            "ec2": lambda: {**self._examples(), **network_examples(self.store)},
            "iam": lambda: identities.EXAMPLES,
            "logs": lambda: {**self._examples(), **house_around.logs(self)},
            "route53": self._zone_examples,
            "servicediscovery": self._naming_examples,
            **house_around.examples(self),
            **{each: functools.partial(secret_examples, self, each) for each in SECRET_SERVICES},
        }
        return own.get(service, self._examples)().get(operation, {})

    def _examples(self) -> dict[str, dict[str, Any]]:
        subnets = [subnet.subnet_id for subnet in self.store.all(Subnet) if subnet.is_default]
        awsvpc = {"awsvpcConfiguration": {"subnets": subnets}}
        launch: dict[str, Any] = {"taskDefinition": "web", "launchType": "FARGATE", "networkConfiguration": awsvpc}
        group = {"logGroupName": "/app"}
        stream = {**group, "logStreamName": "one"}
        event = {"timestamp": int(self.clock.time * 1000), "message": "a line"}
        group_arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/app"
        vpc_id = self._vpc_id()
        container = {"name": "app", "image": "app", "memory": 128}
        targets = {"Targets": [{"Id": "172.31.0.200"}]}
        certificates = [{"CertificateArn": c.arn} for c in self.store.all(Certificate)][:1]
        rule = {"Conditions": [{"Field": "path-pattern", "Values": ["/a/*"]}], "Actions": [NOT_FOUND]}
        priorities = [{"RuleArn": r.arn, "Priority": 3 + self.ids.choice(90)} for r in self.store.all(Rule)][:1]
        examples: dict[str, dict[str, Any]] = {
            "CreateLoadBalancer": {"Name": f"new-{self.ids.hex(2)}", "Subnets": subnets},
            "SetSubnets": {"Subnets": subnets[:2]},
            "SetIpAddressType": {"IpAddressType": "ipv4"},
            "ModifyLoadBalancerAttributes": {"Attributes": [{"Key": "routing.http2.enabled", "Value": "false"}]},
            "ModifyTargetGroupAttributes": {"Attributes": [{"Key": "stickiness.enabled", "Value": "true"}]},
            "CreateTargetGroup": {"Name": "new", "Protocol": "HTTP", "Port": 80, "VpcId": vpc_id, "TargetType": "ip"},
            "RegisterTargets": targets,
            "DeregisterTargets": targets,
            "DescribeTargetHealth": targets,
            "CreateListener": {"Protocol": "HTTP", "Port": 80 + self.ids.choice(9), "DefaultActions": [NOT_FOUND]},
            "ModifyListener": {"DefaultActions": [NOT_FOUND]},
            "ModifyListenerAttributes": {"Attributes": [{"Key": "tcp.idle_timeout.seconds", "Value": "60"}]},
            "AddListenerCertificates": {"Certificates": certificates},
            "RemoveListenerCertificates": {"Certificates": certificates},
            "CreateRule": {**rule, "Priority": 3 + self.ids.choice(90)},
            "ModifyRule": rule,
            "SetRulePriorities": {"RulePriorities": priorities},
            "CreateTrustStore": {"Name": f"new-{self.ids.hex(2)}", **self._bundle},
            "ModifyTrustStore": self._bundle,
            "AddTrustStoreRevocations": {
                "RevocationContents": [{"S3Bucket": "inline", "S3Key": "-----BEGIN X509 CRL"}]
            },
            "DescribeSSLPolicies": {"Names": ["ELBSecurityPolicy-2016-08"]},
            "CreateCluster": {"clusterName": "new"},
            "CreateService": {**launch, "serviceName": f"new-{self.ids.hex(2)}", "desiredCount": 1},
            "UpdateService": {"service": "front", "taskDefinition": "web"},
            "DeleteCluster": {"cluster": "new"},
            "DeregisterTaskDefinition": {"taskDefinition": "web:1"},
            "ListServiceDeployments": {"service": "front"},
            "RunTask": launch,
            "RegisterTaskDefinition": {"family": "web", "containerDefinitions": [container]},
            "PutAccountSetting": {"name": "containerInsights", "value": "enabled"},
            "PutAccountSettingDefault": {"name": "containerInsights", "value": "enabled"},
            "UpdateClusterSettings": {
                "cluster": "default",
                "settings": [{"name": "containerInsights", "value": "enabled"}],
            },
            "CreateLogGroup": {"logGroupName": f"/new-{self.ids.hex(2)}"},
            "CreateLogStream": {**group, "logStreamName": f"new-{self.ids.hex(2)}"},
            "PutRetentionPolicy": {**group, "retentionInDays": 7},
            "PutLogEvents": {**stream, "logEvents": [event, event]},
            "GetLogEvents": stream,
            "FilterLogEvents": group,
            "DescribeLogStreams": group,
            "DescribeLogGroups": {"logGroupNamePrefix": "/"},
            "DeleteLogStream": stream,
            "DeleteLogGroup": {"logGroupName": "/new-1"},
            "RequestCertificate": {"DomainName": "new.example.com", "KeyAlgorithm": EC},
            "ListCertificates": {"Includes": {"keyTypes": [EC]}},
            "DescribeVpcAttribute": {"VpcId": vpc_id, "Attribute": "enableDnsSupport"},
        }
        if self.ids.choice(2):
            tagged = {"resourceArn": group_arn}
            examples |= {"TagResource": tagged, "UntagResource": tagged, "ListTagsForResource": tagged}
        return examples

    def _image_examples(self) -> dict[str, dict[str, Any]]:
        """Those of ECR."""
        app = {"repositoryName": "app/web"}
        arns = [repository.arn for repository in self.store.all(Repository)]
        tagged = {"resourceArn": arns[self.ids.choice(len(arns))]} if arns else {}
        images = [image for image in self.store.all(Image) if image.blobs]
        manifests = {**app, "imageManifest": images[0].manifest, "imageTag": self.ids.hex(4)} if images else {}
        no_filters = {"imageTagMutability": "MUTABLE", "imageTagMutabilityExclusionFilters": []}
        return {
            **dict.fromkeys(("ListTagsForResource", "TagResource", "UntagResource"), tagged),
            "CreateRepository": {"repositoryName": f"new-{self.ids.hex(4)}", **no_filters},
            "PutImageTagMutability": no_filters,
            "PutImage": manifests,
            "DeleteRepository": {**app, "force": True},
            "PutReplicationConfiguration": {"replicationConfiguration": {"rules": []}},
            "GetAccountSetting": {"name": "BLOB_MOUNTING"},
            "PutAccountSetting": {"name": "BLOB_MOUNTING", "value": "ENABLED"},
            "DescribeRepositories": {"repositoryNames": ["app/web"]},
            **dict.fromkeys(("GetLifecyclePolicyPreview", "GetLifecyclePolicy", "DeleteLifecyclePolicy"), app),
            **dict.fromkeys(("GetRepositoryPolicy", "DeleteRepositoryPolicy"), app),
        }

    def _zone_examples(self) -> dict[str, dict[str, Any]]:
        """Those of Route 53."""
        own = [zone.zone_id for zone in self.store.all(HostedZone) if not zone.namespace_id]
        zone_id = own[0] if own else ""
        vpc = {"VPCId": self._vpc_id(), "VPCRegion": REGION}
        actions = ("CREATE", "UPSERT", "DELETE")
        change = {"Action": actions[self.ids.choice(3)], "ResourceRecordSet": RECORD_SETS[self.ids.choice(2)]}
        resource = {"ResourceType": "hostedzone", "ResourceId": zone_id}
        return {
            "CreateHostedZone": {"Name": f"{self.ids.hex(2)}.internal", "VPC": vpc, "CallerReference": self.ids.hex(4)},
            "ChangeResourceRecordSets": {"HostedZoneId": zone_id, "ChangeBatch": {"Changes": [change]}},
            "ListHostedZonesByVPC": vpc,
            "AssociateVPCWithHostedZone": {"HostedZoneId": zone_id, "VPC": vpc},
            "DisassociateVPCFromHostedZone": {"HostedZoneId": zone_id, "VPC": vpc},
            "DeleteHostedZone": {"Id": zone_id},
            "UpdateHostedZoneComment": {"Id": zone_id},
            "GetHostedZone": {"Id": zone_id},
            "GetDNSSEC": {"HostedZoneId": zone_id},
            "ListTagsForResource": resource,
            "ChangeTagsForResource": resource,
            "ListTagsForResources": {"ResourceType": "hostedzone", "ResourceIds": [zone_id]},
        }

    def _naming_examples(self) -> dict[str, dict[str, Any]]:
        """Those of Cloud Map."""
        by_type = {namespace.type: namespace.namespace_id for namespace in self.store.all(Namespace)}
        found = {"NamespaceName": "a.internal", "ServiceName": "web"}
        description = {"Description": "d"}
        arns = [n.arn for n in self.store.all(Namespace)] + [s.arn for s in self.store.all(DiscoveryService)]
        tagged = {"ResourceARN": arns[self.ids.choice(len(arns))]} if arns else {}
        return {
            **dict.fromkeys(("ListTagsForResource", "TagResource", "UntagResource"), tagged),
            "CreateService": {"Name": f"new-{self.ids.hex(2)}", "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 5}]}},
            "UpdateService": {"Service": description},
            "DiscoverInstances": found,
            "DiscoverInstancesRevision": found,
            "RegisterInstance": {"InstanceId": f"i{self.ids.choice(9)}", "Attributes": INSTANCE},
            "UpdatePrivateDnsNamespace": {"Id": by_type.get("DNS_PRIVATE", ""), "Namespace": description},
            "UpdateHttpNamespace": {"Id": by_type.get("HTTP", ""), "Namespace": description},
        }


def protocols(service: str) -> list[str]:
    known = service_model(service).metadata.get("protocols") or [service_model(service).metadata["protocol"]]
    return [protocol for protocol in known if protocol != "smithy-rpc-v2-json"]


def read(protocol: str, answer: HttpResponse, model: Any) -> Any:
    """What botocore's parser makes of an answer."""
    found = {"status_code": answer.status, "headers": HeadersDict(answer.headers), "body": answer.body}
    return create_parser(protocol).parse(found, model.output_shape)
