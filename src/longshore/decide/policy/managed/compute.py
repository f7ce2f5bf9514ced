"""AWS's policies for EKS, for EC2 with its networks and load balancers, and for Systems Manager."""

from longshore.decide.policy.managed.policy import ManagedPolicy, Statement, allow

LINKED = "/aws-service-role/"
INSTANCE_MESSAGES = (
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
EC2_MESSAGES = (
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
)


def linked_roles(*services: str) -> Statement:
    """The statement that lets the roles of these services be made."""
    return allow("iam:CreateServiceLinkedRole", when={"StringEquals": {"iam:AWSServiceName": list(services)}})


_EKS = (
    ManagedPolicy(
        "/",
        "AmazonEKSClusterPolicy",
        "This policy provides Kubernetes the permissions it requires to manage resources on your behalf.",
        (
            allow(
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:UpdateAutoScalingGroup",
                "ec2:AttachVolume",
                "ec2:AuthorizeSecurityGroupIngress",
                "ec2:CreateRoute",
                "ec2:CreateSecurityGroup",
                "ec2:CreateTags",
                "ec2:CreateVolume",
                "ec2:DeleteRoute",
                "ec2:DeleteSecurityGroup",
                "ec2:DeleteVolume",
                "ec2:Describe*",
                "ec2:DetachVolume",
                "ec2:ModifyInstanceAttribute",
                "ec2:ModifyVolume",
                "ec2:RevokeSecurityGroupIngress",
                "elasticloadbalancing:*",
                "kms:DescribeKey",
            ),
            linked_roles("elasticloadbalancing.amazonaws.com"),
        ),
    ),
    ManagedPolicy(
        "/",
        "AmazonEKSServicePolicy",
        "This policy allows Amazon Elastic Container Service for Kubernetes to create and manage the necessary "
        "resources to operate EKS Clusters.",
        (
            allow(
                "ec2:CreateNetworkInterface",
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:Describe*",
                "ec2:ModifyNetworkInterfaceAttribute",
                "iam:ListAttachedRolePolicies",
                "eks:UpdateClusterVersion",
            ),
            allow("ec2:CreateTags", "ec2:DeleteTags", on=("arn:aws:ec2:*:*:vpc/*", "arn:aws:ec2:*:*:subnet/*")),
            allow("route53:AssociateVPCWithHostedZone"),
            allow("logs:CreateLogGroup"),
            allow("logs:CreateLogStream", "logs:DescribeLogStreams", on="arn:aws:logs:*:*:log-group:/aws/eks/*:*"),
            allow("logs:PutLogEvents", on="arn:aws:logs:*:*:log-group:/aws/eks/*:*:*"),
            linked_roles("eks.amazonaws.com"),
        ),
    ),
    ManagedPolicy(
        "/",
        "AmazonEKSVPCResourceController",
        "Policy used by VPC Resource Controller to manage ENI and IPs for worker nodes.",
        (
            allow(
                "ec2:CreateNetworkInterfacePermission",
                when={"ForAnyValue:StringEquals": {"ec2:ResourceTag/eks:eni:owner": "eks-vpc-resource-controller"}},
            ),
            allow(
                "ec2:CreateNetworkInterface",
                "ec2:DetachNetworkInterface",
                "ec2:ModifyNetworkInterfaceAttribute",
                "ec2:DeleteNetworkInterface",
                "ec2:AttachNetworkInterface",
                "ec2:UnassignPrivateIpAddresses",
                "ec2:AssignPrivateIpAddresses",
            ),
        ),
    ),
    ManagedPolicy(
        "/",
        "AmazonEKSWorkerNodePolicy",
        "This policy allows Amazon EKS worker nodes to connect to Amazon EKS Clusters.",
        (
            allow(
                "ec2:DescribeInstances",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeRouteTables",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVolumes",
                "ec2:DescribeVolumesModifications",
                "ec2:DescribeVpcs",
                "eks:DescribeCluster",
                "eks-auth:AssumeRoleForPodIdentity",
                sid="WorkerNodePermissions",
            ),
        ),
    ),
    ManagedPolicy(
        "/",
        "AmazonEKSWorkerNodeMinimalPolicy",
        "This policy allows Amazon EKS worker nodes to connect to Amazon EKS Clusters.",
        (allow("eks-auth:AssumeRoleForPodIdentity"),),
    ),
    ManagedPolicy(
        "/",
        "AmazonEKS_CNI_Policy",
        "This policy provides the Amazon VPC CNI Plugin (amazon-vpc-cni-k8s) the permissions it requires to modify the "
        "IP address configuration on your EKS worker nodes.",
        (
            allow(
                "ec2:AssignPrivateIpAddresses",
                "ec2:AttachNetworkInterface",
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeInstances",
                "ec2:DescribeTags",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeSubnets",
                "ec2:DetachNetworkInterface",
                "ec2:ModifyNetworkInterfaceAttribute",
                "ec2:UnassignPrivateIpAddresses",
                sid="AmazonEKSCNIPolicy",
            ),
            allow("ec2:CreateTags", on="arn:aws:ec2:*:*:network-interface/*", sid="AmazonEKSCNIPolicyENITag"),
        ),
    ),
    ManagedPolicy(
        "/",
        "AmazonEKSFargatePodExecutionRolePolicy",
        "Provides access to other AWS service resources that are required to run Amazon EKS pods on AWS Fargate",
        (
            allow(
                "ecr:GetAuthorizationToken",
                "ecr:BatchCheckLayerAvailability",
                "ecr:GetDownloadUrlForLayer",
                "ecr:BatchGetImage",
            ),
        ),
    ),
)

_EC2 = (
    ManagedPolicy(
        "/",
        "AmazonEC2FullAccess",
        "Provides full access to Amazon EC2 via the AWS Management Console.",
        (
            allow("ec2:*"),
            allow("elasticloadbalancing:*"),
            allow("cloudwatch:*"),
            allow("autoscaling:*"),
            linked_roles(
                "autoscaling.amazonaws.com",
                "ec2scheduled.amazonaws.com",
                "elasticloadbalancing.amazonaws.com",
                "spot.amazonaws.com",
                "spotfleet.amazonaws.com",
                "transitgateway.amazonaws.com",
            ),
        ),
    ),
    ManagedPolicy(
        "/",
        "AmazonEC2ReadOnlyAccess",
        "Provides read only access to Amazon EC2 via the AWS Management Console.",
        (
            allow("ec2:Describe*", "ec2:GetSecurityGroupsForVpc"),
            allow("elasticloadbalancing:Describe*"),
            allow("cloudwatch:ListMetrics", "cloudwatch:GetMetricStatistics", "cloudwatch:Describe*"),
            allow("autoscaling:Describe*"),
        ),
    ),
    ManagedPolicy(
        "/",
        "AmazonVPCReadOnlyAccess",
        "Provides read only access to Amazon VPC via the AWS Management Console.",
        (allow("ec2:Describe*", "ec2:GetSecurityGroupsForVpc"),),
    ),
    ManagedPolicy(
        "/",
        "ElasticLoadBalancingFullAccess",
        "Provides full access to Amazon ElasticLoadBalancing, and limited access to other services necessary to "
        "provide ElasticLoadBalancing features.",
        (
            allow("elasticloadbalancing:*"),
            allow(
                "ec2:DescribeAccountAttributes",
                "ec2:DescribeAddresses",
                "ec2:DescribeInternetGateways",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
                "ec2:DescribeVpcClassicLink",
                "ec2:DescribeInstances",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeClassicLinkInstances",
                "ec2:DescribeRouteTables",
                "ec2:DescribeCoipPools",
                "ec2:GetCoipPoolUsage",
                "ec2:DescribeVpcPeeringConnections",
                "cognito-idp:DescribeUserPoolClient",
            ),
            linked_roles("elasticloadbalancing.amazonaws.com"),
        ),
    ),
    ManagedPolicy(
        "/",
        "ElasticLoadBalancingReadOnly",
        "Provides read only access to Amazon ElasticLoadBalancing and dependent services",
        (
            allow("elasticloadbalancing:Describe*", "elasticloadbalancing:Get*"),
            allow("ec2:DescribeInstances", "ec2:DescribeClassicLinkInstances", "ec2:DescribeSecurityGroups"),
        ),
    ),
)

_SSM = (
    ManagedPolicy(
        "/",
        "AmazonSSMManagedInstanceCore",
        "The policy for Amazon EC2 Role to enable AWS Systems Manager service core functionality.",
        (
            allow(
                "ssm:DescribeAssociation",
                "ssm:GetDeployablePatchSnapshotForInstance",
                "ssm:GetDocument",
                "ssm:DescribeDocument",
                "ssm:GetManifest",
                "ssm:GetParameter",
                "ssm:GetParameters",
                "ssm:ListAssociations",
                "ssm:ListInstanceAssociations",
                "ssm:PutInventory",
                "ssm:PutComplianceItems",
                "ssm:PutConfigurePackageResult",
                "ssm:UpdateAssociationStatus",
                "ssm:UpdateInstanceAssociationStatus",
                "ssm:UpdateInstanceInformation",
            ),
            allow(*INSTANCE_MESSAGES),
            allow(*EC2_MESSAGES),
        ),
    ),
    ManagedPolicy(
        "/",
        "AmazonSSMReadOnlyAccess",
        "Provides read only access to Amazon SSM.",
        (allow("ssm:Describe*", "ssm:Get*", "ssm:List*"),),
    ),
    ManagedPolicy(
        "/",
        "AmazonSSMFullAccess",
        "Provides full access to Amazon SSM.",
        (
            allow(
                "cloudwatch:PutMetricData", "ds:CreateComputer", "ds:DescribeDirectories", "ec2:DescribeInstanceStatus"
            ),
            allow("logs:*"),
            allow("ssm:*"),
            allow("ec2messages:*"),
            allow(*INSTANCE_MESSAGES),
            linked_roles("ssm.amazonaws.com"),
        ),
    ),
    ManagedPolicy(
        "/service-role/",
        "AmazonEC2RoleforSSM",
        "This policy will soon be deprecated. Please use AmazonSSMManagedInstanceCore policy instead.",
        (
            allow("ssm:Describe*", "ssm:Get*", "ssm:List*", "ssm:Put*", "ssm:Update*"),
            allow(*INSTANCE_MESSAGES),
            allow(*EC2_MESSAGES),
            allow("cloudwatch:PutMetricData"),
            allow("ec2:DescribeInstanceStatus"),
            allow(
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogGroups",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ),
        ),
    ),
)

COMPUTE: tuple[ManagedPolicy, ...] = (*_EKS, *_EC2, *_SSM)
