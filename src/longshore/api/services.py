"""Every AWS service that is served."""

from longshore.api import acm, autoscaling, cloudwatch, ec2, ecs, elbv2, logs, route53, servicediscovery, sts, tagging
from longshore.api.operation import Service

SERVICES: tuple[Service, ...] = (
    acm.SERVICE,
    autoscaling.SERVICE,
    cloudwatch.SERVICE,
    ec2.SERVICE,
    ecs.SERVICE,
    elbv2.SERVICE,
    logs.SERVICE,
    route53.SERVICE,
    servicediscovery.SERVICE,
    sts.SERVICE,
    tagging.SERVICE,
)
