"""Every class of record there is: what a store is opened with."""

from longshore.domain.alarm import AlarmHistoryItem, Dashboard, MetricAlarm
from longshore.domain.balancer import Listener, LoadBalancer, Rule, Target, TargetGroup, TrustStore
from longshore.domain.certificate import Authority, Certificate
from longshore.domain.cluster import AccountSetting, Cluster, Host
from longshore.domain.log import LogGroup, LogResourcePolicy, LogStream, MetricFilter, QueryDefinition
from longshore.domain.naming import DiscoveryService, Namespace, NamingOperation, ServiceInstance
from longshore.domain.network import NetworkInterface, SecurityGroup, SecurityGroupRule, Subnet, Vpc
from longshore.domain.record import Record
from longshore.domain.scaling import ScalableTarget, ScalingPolicy, ScheduledAction
from longshore.domain.service import Deployment, Service, ServiceEvent
from longshore.domain.task import Task
from longshore.domain.task_definition import TaskDefinition, TaskDefinitionFamily
from longshore.domain.zone import HostedZone, RecordSet, ZoneChange

KINDS: tuple[type[Record], ...] = (
    AccountSetting,
    AlarmHistoryItem,
    Authority,
    Certificate,
    Cluster,
    Dashboard,
    Deployment,
    DiscoveryService,
    Host,
    HostedZone,
    Listener,
    LoadBalancer,
    LogGroup,
    LogResourcePolicy,
    LogStream,
    MetricAlarm,
    MetricFilter,
    Namespace,
    NamingOperation,
    NetworkInterface,
    QueryDefinition,
    RecordSet,
    Rule,
    ScalableTarget,
    ScalingPolicy,
    ScheduledAction,
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
