"""Every class of record there is: what a store is opened with."""

from longshore.domain.cluster import AccountSetting, Cluster, Host
from longshore.domain.log import LogGroup, LogStream
from longshore.domain.network import NetworkInterface, SecurityGroup, Subnet, Vpc
from longshore.domain.record import Record
from longshore.domain.service import Deployment, Service, ServiceEvent
from longshore.domain.task import Task
from longshore.domain.task_definition import TaskDefinition, TaskDefinitionFamily

KINDS: tuple[type[Record], ...] = (
    AccountSetting,
    Cluster,
    Deployment,
    Host,
    LogGroup,
    LogStream,
    NetworkInterface,
    SecurityGroup,
    Service,
    ServiceEvent,
    Subnet,
    Task,
    TaskDefinition,
    TaskDefinitionFamily,
    Vpc,
)
