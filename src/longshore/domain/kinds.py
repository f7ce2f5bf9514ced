"""Every class of record there is: what a store is opened with."""

from longshore.domain.ec2.endpoint import EndpointServiceConfiguration, PrefixList, VpcEndpoint
from longshore.domain.ec2.network import (
    NetworkInterface,
    RegionNetwork,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
)
from longshore.domain.ec2.network_acl import NetworkAcl
from longshore.domain.ec2.network_settings import DhcpOptions, FlowLog
from longshore.domain.ec2.routing import Address, InternetGateway, NatGateway, RouteTable
from longshore.domain.ecr.repository import (
    Image,
    ImageTag,
    LifecyclePreview,
    RegistryEndpoint,
    RegistrySettings,
    Repository,
)
from longshore.domain.ecs.cluster import AccountSetting, Cluster, Host
from longshore.domain.ecs.service import Deployment, Service, ServiceEvent
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition, TaskDefinitionFamily
from longshore.domain.elbv2.balancer import Listener, LoadBalancer, Rule, Target, TargetGroup, TrustStore
from longshore.domain.elbv2.certificate import Authority, Certificate
from longshore.domain.elbv2.quota import LoadBalancerQuota
from longshore.domain.iam import (
    AccessKey,
    AccountAlias,
    Group,
    IdentityProvider,
    InstanceProfile,
    PasswordPolicy,
    Policy,
    Role,
    User,
)
from longshore.domain.log import (
    LogGroup,
    LogResourcePolicy,
    LogStream,
    MetricFilter,
    QueryDefinition,
    SubscriptionFilter,
)
from longshore.domain.names.naming import DiscoveryService, Namespace, NamingOperation, ServiceInstance
from longshore.domain.names.zone import HostedZone, RecordSet, ZoneChange
from longshore.domain.record import Record
from longshore.domain.scaling.alarm import AlarmHistoryItem, CompositeAlarm, Dashboard, MetricAlarm
from longshore.domain.scaling.scaling import ScalableTarget, ScalingPolicy, ScheduledAction
from longshore.domain.secrets.encryption_key import EncryptionKey, KeyAlias, KeyGrant
from longshore.domain.secrets.master_key import KeyCheck
from longshore.domain.secrets.parameter import Parameter, ParameterVersion
from longshore.domain.secrets.secret import Secret, SecretVersion

KINDS: tuple[type[Record], ...] = (
    AccessKey,
    AccountAlias,
    AccountSetting,
    Address,
    AlarmHistoryItem,
    Authority,
    Certificate,
    Cluster,
    Dashboard,
    Deployment,
    DhcpOptions,
    DiscoveryService,
    EncryptionKey,
    FlowLog,
    Group,
    Host,
    HostedZone,
    IdentityProvider,
    Image,
    ImageTag,
    InstanceProfile,
    InternetGateway,
    KeyAlias,
    KeyCheck,
    KeyGrant,
    LifecyclePreview,
    Listener,
    LoadBalancer,
    LoadBalancerQuota,
    LogGroup,
    LogResourcePolicy,
    LogStream,
    CompositeAlarm,
    MetricAlarm,
    SubscriptionFilter,
    MetricFilter,
    Namespace,
    NamingOperation,
    NatGateway,
    NetworkAcl,
    NetworkInterface,
    Parameter,
    ParameterVersion,
    PasswordPolicy,
    Policy,
    PrefixList,
    QueryDefinition,
    RecordSet,
    RegionNetwork,
    RegistryEndpoint,
    RegistrySettings,
    Repository,
    Role,
    RouteTable,
    Rule,
    ScalableTarget,
    ScalingPolicy,
    ScheduledAction,
    Secret,
    SecretVersion,
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
    User,
    Vpc,
    EndpointServiceConfiguration,
    VpcEndpoint,
    ZoneChange,
)

OF_THE_MACHINE: frozenset[type[Record]] = frozenset({Host, KeyCheck, LoadBalancerQuota, RegistryEndpoint})
"""Kinds that tell of the machine or of how Longshore was started: no account made them, and a reset leaves them."""
