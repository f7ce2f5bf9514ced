"""Every class of record there is: what a store is opened with."""

from longshore.domain.alarm import AlarmHistoryItem, Dashboard, MetricAlarm
from longshore.domain.balancer import Listener, LoadBalancer, Rule, Target, TargetGroup, TrustStore
from longshore.domain.certificate import Authority, Certificate
from longshore.domain.cluster import AccountSetting, Cluster, Host
from longshore.domain.encryption_key import EncryptionKey, KeyAlias, KeyGrant
from longshore.domain.endpoint import PrefixList, VpcEndpoint
from longshore.domain.iam import AccessKey, AccountAlias, Group, InstanceProfile, Policy, Role, User
from longshore.domain.log import LogGroup, LogResourcePolicy, LogStream, MetricFilter, QueryDefinition
from longshore.domain.naming import DiscoveryService, Namespace, NamingOperation, ServiceInstance
from longshore.domain.network import (
    NetworkInterface,
    RegionNetwork,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
)
from longshore.domain.network_acl import NetworkAcl
from longshore.domain.network_settings import DhcpOptions, FlowLog
from longshore.domain.parameter import Parameter, ParameterVersion
from longshore.domain.record import Record
from longshore.domain.repository import (
    Image,
    ImageTag,
    LifecyclePreview,
    RegistryEndpoint,
    RegistrySettings,
    Repository,
)
from longshore.domain.routing import Address, InternetGateway, NatGateway, RouteTable
from longshore.domain.scaling import ScalableTarget, ScalingPolicy, ScheduledAction
from longshore.domain.secret import Secret, SecretVersion
from longshore.domain.service import Deployment, Service, ServiceEvent
from longshore.domain.task import Task
from longshore.domain.task_definition import TaskDefinition, TaskDefinitionFamily
from longshore.domain.zone import HostedZone, RecordSet, ZoneChange

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
    Image,
    ImageTag,
    InstanceProfile,
    InternetGateway,
    KeyAlias,
    KeyGrant,
    LifecyclePreview,
    Listener,
    LoadBalancer,
    LogGroup,
    LogResourcePolicy,
    LogStream,
    MetricAlarm,
    MetricFilter,
    Namespace,
    NamingOperation,
    NatGateway,
    NetworkAcl,
    NetworkInterface,
    Parameter,
    ParameterVersion,
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
    VpcEndpoint,
    ZoneChange,
)
