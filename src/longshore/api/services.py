"""Every AWS service that is served."""

from longshore.api import acm, ec2, ecs, elbv2, iam, kms, logs, route53, secretsmanager, servicediscovery, ssm, sts
from longshore.api.operation import Service

SERVICES: tuple[Service, ...] = (
    acm.SERVICE,
    ec2.SERVICE,
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
)
