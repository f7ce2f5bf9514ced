"""Every AWS service that is served."""

from longshore.api import (
    acm,
    autoscaling,
    cloudwatch,
    ec2,
    ecr,
    ecs,
    elbv2,
    iam,
    kms,
    logs,
    route53,
    secretsmanager,
    servicediscovery,
    ssm,
    sts,
    tagging,
)
from longshore.api.operation import Service

SERVICES: tuple[Service, ...] = (
    acm.SERVICE,
    autoscaling.SERVICE,
    cloudwatch.SERVICE,
    ec2.SERVICE,
    ecr.SERVICE,
    ecs.SERVICE,
    elbv2.SERVICE,
    iam.SERVICE,
    kms.SERVICE,
    logs.SERVICE,
    route53.SERVICE,
    secretsmanager.SERVICE,
    servicediscovery.SERVICE,
    ssm.SERVICE,
    sts.SERVICE,
    tagging.SERVICE,
)
