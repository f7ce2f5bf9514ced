"""Every class of record there is: what a store is opened with."""

from longshore.domain.balancer import Listener, LoadBalancer, Rule, Target, TargetGroup, TrustStore
from longshore.domain.certificate import Authority, Certificate
from longshore.domain.cluster import AccountSetting, Cluster, Host
from longshore.domain.log import LogGroup, LogStream
from longshore.domain.naming import DiscoveryService, Namespace, NamingOperation, ServiceInstance
from longshore.domain.network import NetworkInterface, SecurityGroup, SecurityGroupRule, Subnet, Vpc
from longshore.domain.record import Record
from longshore.domain.repository import (
    Image,
    ImageTag,
    LifecyclePreview,
    RegistryEndpoint,
    RegistrySettings,
    Repository,
)
from longshore.domain.service import Deployment, Service, ServiceEvent
from longshore.domain.task import Task
from longshore.domain.task_definition import TaskDefinition, TaskDefinitionFamily
from longshore.domain.zone import HostedZone, RecordSet, ZoneChange

KINDS: tuple[type[Record], ...] = (
    AccountSetting,
    Authority,
    Certificate,
    Cluster,
    Deployment,
    DiscoveryService,
    Host,
    HostedZone,
    Image,
    ImageTag,
    LifecyclePreview,
    Listener,
    LoadBalancer,
    LogGroup,
    LogStream,
    Namespace,
    NamingOperation,
    NetworkInterface,
    RecordSet,
    RegistryEndpoint,
    RegistrySettings,
    Repository,
    Rule,
    SecurityGroup,
    SecurityGroupRule,
    Service,
    ServiceEvent,
    ServiceInstance,
    Subnet,
    Target,
    TargetGroup,
    Task,
    TaskDefinition,
    TaskDefinitionFamily,
    TrustStore,
    Vpc,
    ZoneChange,
)
