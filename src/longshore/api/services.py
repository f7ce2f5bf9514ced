"""Every AWS service that is served."""

from longshore.api import ec2, ecs, logs, sts
from longshore.api.operation import Service

SERVICES: tuple[Service, ...] = (ec2.SERVICE, ecs.SERVICE, logs.SERVICE, sts.SERVICE)
