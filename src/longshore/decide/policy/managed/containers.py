"""AWS's policies for ECS, ECR, CodeDeploy and EKS."""

from longshore.decide.policy.managed.policy import ManagedPolicy, allow, passed_to

SERVICE, LINKED = "/service-role/", "/aws-service-role/"
ECS_MANAGED = {"StringEquals": {"aws:ResourceTag/AmazonECSManaged": "true"}}
ECR_PULL = ("ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer")
ECR_READ = (
    *ECR_PULL,
    "ecr:GetRepositoryPolicy",
    "ecr:DescribeRepositories",
    "ecr:ListImages",
    "ecr:DescribeImages",
    "ecr:BatchGetImage",
    "ecr:GetLifecyclePolicy",
    "ecr:GetLifecyclePolicyPreview",
    "ecr:ListTagsForResource",
    "ecr:DescribeImageScanFindings",
)

_TASKS = (
    ManagedPolicy(
        SERVICE,
        "AmazonECSTaskExecutionRolePolicy",
        "Provides access to other AWS service resources that are required to run Amazon ECS tasks",
        (allow(*ECR_PULL, "ecr:BatchGetImage", "logs:CreateLogStream", "logs:PutLogEvents"),),
    ),
    ManagedPolicy(
        SERVICE,
        "AmazonEC2ContainerServiceforEC2Role",
        "Default policy for the Amazon EC2 Role for Amazon EC2 Container Service.",
        (
            allow(
                "ec2:DescribeTags",
                "ecs:CreateCluster",
                "ecs:DeregisterContainerInstance",
                "ecs:DiscoverPollEndpoint",
                "ecs:Poll",
                "ecs:RegisterContainerInstance",
                "ecs:StartTelemetrySession",
                "ecs:UpdateContainerInstancesState",
                "ecs:Submit*",
                *ECR_PULL,
                "ecr:BatchGetImage",
                "logs:CreateLogStream",
                "logs:PutLogEvents",
            ),
            allow(
                "ecs:TagResource",
                when={"StringEquals": {"ecs:CreateAction": ["CreateCluster", "RegisterContainerInstance"]}},
            ),
            allow("ecs:ListTagsForResource", on=("arn:aws:ecs:*:*:task/*/*", "arn:aws:ecs:*:*:container-instance/*/*")),
        ),
    ),
    ManagedPolicy(
        SERVICE,
        "AmazonEC2ContainerServiceRole",
        "Default policy for Amazon ECS service role.",
        (
            allow(
                "ec2:AuthorizeSecurityGroupIngress",
                "ec2:Describe*",
                "elasticloadbalancing:DeregisterInstancesFromLoadBalancer",
                "elasticloadbalancing:DeregisterTargets",
                "elasticloadbalancing:Describe*",
                "elasticloadbalancing:RegisterInstancesWithLoadBalancer",
                "elasticloadbalancing:RegisterTargets",
            ),
        ),
    ),
    ManagedPolicy(
        SERVICE,
        "AmazonEC2ContainerServiceAutoscaleRole",
        "Policy to enable Task Autoscaling for Amazon EC2 Container Service",
        (
            allow("ecs:DescribeServices", "ecs:UpdateService"),
            allow("cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"),
        ),
    ),
    ManagedPolicy(
        SERVICE,
        "AmazonEC2ContainerServiceEventsRole",
        "Policy to enable CloudWatch Events for EC2 Container Service",
        (
            allow("ecs:RunTask"),
            allow("iam:PassRole", when=passed_to("ecs-tasks.amazonaws.com")),
            allow("ecs:TagResource", when={"StringEquals": {"ecs:CreateAction": ["RunTask"]}}),
        ),
    ),
)

_ECS = (
    ManagedPolicy(
        "/",
        "AmazonECS_FullAccess",
        "Provides administrative access to Amazon ECS resources and enables ECS features through access to other AWS "
        "service resources, including VPCs, Auto Scaling groups, and CloudFormation stacks.",
        (
            allow(
                "application-autoscaling:*",
                "appmesh:*",
                "autoscaling:*AutoScalingGroup*",
                "autoscaling:*LaunchConfiguration*",
                "autoscaling:Describe*",
                "cloudformation:*Stack*",
                "cloudwatch:*MetricAlarm*",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:GetMetricStatistics",
                "codedeploy:*Application*",
                "codedeploy:*Deployment*",
                "ec2:Describe*",
                "ec2:*InternetGateway",
                "ec2:*Route*",
                "ec2:*Subnet*",
                "ec2:*Vpc*",
                "ec2:AuthorizeSecurityGroupIngress",
                "ec2:CreateSecurityGroup",
                "ec2:CreateTags",
                "ec2:RunInstances",
                "ec2:RequestSpotFleet",
                "ecs:*",
                "elasticfilesystem:Describe*",
                "elasticloadbalancing:*",
                "events:*Rule*",
                "events:*Targets*",
                "fsx:DescribeFileSystems",
                "iam:ListAttachedRolePolicies",
                "iam:ListInstanceProfiles",
                "iam:ListRoles",
                "lambda:ListFunctions",
                "logs:CreateLogGroup",
                "logs:DescribeLogGroups",
                "logs:FilterLogEvents",
                "route53:*HostedZone*",
                "route53:GetHealthCheck",
                "servicediscovery:*Namespace*",
                "servicediscovery:*Service*",
                "servicediscovery:GetOperation",
                "servicediscovery:ListOperations",
                "sns:ListTopics",
                sid="ECSIntegrationsManagementPolicy",
            ),
            allow(
                "ssm:GetParameter",
                "ssm:GetParameters",
                "ssm:GetParametersByPath",
                on="arn:aws:ssm:*:*:parameter/aws/service/ecs*",
                sid="SSMPolicy",
            ),
            allow(
                "ec2:DeleteInternetGateway",
                "ec2:DeleteRoute",
                "ec2:DeleteRouteTable",
                "ec2:DeleteSecurityGroup",
                when={"StringLike": {"aws:ResourceTag/aws:cloudformation:stack-name": "EC2ContainerService-*"}},
                sid="ManagedCloudformationResourcesCleanupPolicy",
            ),
            allow("iam:PassRole", when=passed_to("ecs-tasks.amazonaws.com"), sid="TasksPassRolePolicy"),
            allow(
                "iam:PassRole",
                on="arn:aws:iam::*:role/ecsInfrastructureRole",
                when=passed_to("ecs.amazonaws.com"),
                sid="InfrastructurePassRolePolicy",
            ),
            allow(
                "iam:PassRole",
                on="arn:aws:iam::*:role/ecsInstanceRole*",
                when=passed_to("ec2.amazonaws.com", "ec2.amazonaws.com.cn"),
                sid="InstancePassRolePolicy",
            ),
            allow(
                "iam:PassRole",
                on="arn:aws:iam::*:role/ecsAutoscaleRole*",
                when=passed_to("application-autoscaling.amazonaws.com", "application-autoscaling.amazonaws.com.cn"),
                sid="AutoScalingPassRolePolicy",
            ),
            allow(
                "iam:CreateServiceLinkedRole",
                when={
                    "StringLike": {
                        "iam:AWSServiceName": [
                            "ecs.amazonaws.com",
                            "autoscaling.amazonaws.com",
                            "ecs.application-autoscaling.amazonaws.com",
                            "spot.amazonaws.com",
                            "spotfleet.amazonaws.com",
                        ]
                    }
                },
                sid="ServiceLinkedRoleCreationPolicy",
            ),
            allow(
                "elasticloadbalancing:AddTags",
                when={
                    "StringEquals": {
                        "elasticloadbalancing:CreateAction": [
                            "CreateTargetGroup",
                            "CreateRule",
                            "CreateListener",
                            "CreateLoadBalancer",
                        ]
                    }
                },
                sid="ELBTaggingPolicy",
            ),
        ),
    ),
    ManagedPolicy(
        LINKED,
        "AmazonECSServiceRolePolicy",
        "Policy to enable Amazon ECS to manage your cluster.",
        (
            allow(
                "ec2:AttachNetworkInterface",
                "ec2:CreateNetworkInterface",
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
                "ec2:Describe*",
                "ec2:DetachNetworkInterface",
                "elasticloadbalancing:DeregisterInstancesFromLoadBalancer",
                "elasticloadbalancing:DeregisterTargets",
                "elasticloadbalancing:Describe*",
                "elasticloadbalancing:RegisterInstancesWithLoadBalancer",
                "elasticloadbalancing:RegisterTargets",
                "route53:ChangeResourceRecordSets",
                "route53:CreateHealthCheck",
                "route53:DeleteHealthCheck",
                "route53:Get*",
                "route53:List*",
                "route53:UpdateHealthCheck",
                "servicediscovery:DeregisterInstance",
                "servicediscovery:Get*",
                "servicediscovery:List*",
                "servicediscovery:RegisterInstance",
                "servicediscovery:UpdateInstanceCustomHealthStatus",
                sid="ECSTaskManagement",
            ),
            allow("autoscaling:Describe*", sid="AutoScaling"),
            allow(
                "autoscaling:DeletePolicy",
                "autoscaling:PutScalingPolicy",
                "autoscaling:SetInstanceProtection",
                "autoscaling:UpdateAutoScalingGroup",
                when={"Null": {"autoscaling:ResourceTag/AmazonECSManaged": "false"}},
                sid="AutoScalingManagement",
            ),
            allow("cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm", sid="CWAlarms"),
            allow("ec2:CreateTags", on="arn:aws:ec2:*:*:network-interface/*", sid="ECSTagging"),
            allow(
                "logs:CreateLogGroup",
                "logs:DescribeLogGroups",
                "logs:PutRetentionPolicy",
                on="arn:aws:logs:*:*:log-group:/aws/ecs/*",
                sid="CWLogGroupManagement",
            ),
            allow(
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
                on="arn:aws:logs:*:*:log-group:/aws/ecs/*:log-stream:*",
                sid="CWLogStreamManagement",
            ),
            allow("ssm:DescribeSessions", sid="ExecuteCommandSessionManagement"),
            allow(
                "ssm:StartSession",
                on=("arn:aws:ecs:*:*:task/*", "arn:aws:ssm:*:*:document/AmazonECS-ExecuteInteractiveCommand"),
                sid="ExecuteCommand",
            ),
        ),
    ),
    ManagedPolicy(
        LINKED,
        "AWSApplicationAutoscalingECSServicePolicy",
        "Policy granting permissions to Application Auto Scaling to access ECS Service and CloudWatch.",
        (
            allow(
                "ecs:DescribeServices",
                "ecs:UpdateService",
                "cloudwatch:PutMetricAlarm",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:DeleteAlarms",
            ),
        ),
    ),
    ManagedPolicy(
        SERVICE,
        "AmazonECSInfrastructureRolePolicyForVolumes",
        "Provides access to other AWS service resources required to manage volumes associated with ECS workloads on "
        "your behalf.",
        (
            allow(
                "ec2:CreateVolume",
                on="arn:aws:ec2:*:*:volume/*",
                when={
                    "ArnLike": {"aws:RequestTag/AmazonECSCreated": "arn:aws:ecs:*:*:task/*"},
                    "StringEquals": {"aws:RequestTag/AmazonECSManaged": "true"},
                },
                sid="CreateEBSManagedVolume",
            ),
            allow("ec2:CreateVolume", on="arn:aws:ec2:*:*:snapshot/*", sid="CreateEBSManagedVolumeFromSnapshot"),
            allow(
                "ec2:CreateTags",
                on="arn:aws:ec2:*:*:volume/*",
                when={"StringEquals": {"ec2:CreateAction": "CreateVolume", "aws:RequestTag/AmazonECSManaged": "true"}},
                sid="TagOnCreateVolume",
            ),
            allow(
                "ec2:DescribeVolumes",
                "ec2:DescribeAvailabilityZones",
                "ec2:DescribeInstances",
                sid="DescribeVolumesForLifecycle",
            ),
            allow("ec2:AttachVolume", "ec2:DetachVolume", on="arn:aws:ec2:*:*:instance/*", sid="ManageInstances"),
            allow(
                "ec2:AttachVolume",
                "ec2:DetachVolume",
                "ec2:DeleteVolume",
                on="arn:aws:ec2:*:*:volume/*",
                when=ECS_MANAGED,
                sid="ManageEBSVolume",
            ),
        ),
    ),
    ManagedPolicy(
        SERVICE,
        "AmazonECSInfrastructureRolePolicyForServiceConnectTransportLayerSecurity",
        "Provides administrative access to AWS Private Certificate Authority, Secrets Manager and other AWS Services "
        "required to manage ECS Service Connect TLS features on your behalf.",
        (
            allow(
                "secretsmanager:CreateSecret",
                "secretsmanager:TagResource",
                on="arn:aws:secretsmanager:*:*:secret:ecs-sc!*",
                sid="CreateSecret",
            ),
            allow(
                "secretsmanager:DescribeSecret",
                "secretsmanager:DeleteSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:RotateSecret",
                "secretsmanager:UpdateSecretVersionStage",
                on="arn:aws:secretsmanager:*:*:secret:ecs-sc!*",
                sid="ManageSecret",
            ),
            allow(
                "acm-pca:GetCertificate",
                "acm-pca:GetCertificateAuthorityCertificate",
                "acm-pca:DescribeCertificateAuthority",
                "acm-pca:IssueCertificate",
                when=ECS_MANAGED,
                sid="ManagePrivateCertificateAuthority",
            ),
        ),
    ),
    ManagedPolicy(
        "/",
        "AmazonECSInfrastructureRolePolicyForLoadBalancers",
        "Provides access to other AWS service resources required to manage load balancers associated with ECS "
        "workloads on your behalf.",
        (
            allow(
                "elasticloadbalancing:DescribeListeners",
                "elasticloadbalancing:DescribeRules",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
                sid="ELBReadOperations",
            ),
            allow(
                "elasticloadbalancing:ModifyListener",
                on="arn:aws:elasticloadbalancing:*:*:listener/*/*/*/*",
                sid="ListenerOperations",
            ),
            allow(
                "elasticloadbalancing:ModifyRule",
                on="arn:aws:elasticloadbalancing:*:*:listener-rule/*/*/*/*/*",
                sid="RuleOperations",
            ),
            allow(
                "elasticloadbalancing:RegisterTargets",
                "elasticloadbalancing:DeregisterTargets",
                on="arn:aws:elasticloadbalancing:*:*:targetgroup/*/*",
                sid="TargetGroupOperations",
            ),
        ),
    ),
    ManagedPolicy(
        "/",
        "AmazonECSInfrastructureRolePolicyForVpcLattice",
        "Provides access to other AWS service resources required to manage VPC Lattice in ECS workloads on your "
        "behalf.",
        (
            allow(
                "vpc-lattice:RegisterTargets",
                "vpc-lattice:DeregisterTargets",
                "vpc-lattice:GetTargetGroup",
                "vpc-lattice:ListTargets",
                sid="ManagedVpcLatticeTargetRegistration",
            ),
            allow("ec2:DescribeVpcs", "ec2:DescribeSubnets", sid="DescribeEc2Resources"),
        ),
    ),
)

_IMAGES = (
    ManagedPolicy(
        "/",
        "AmazonEC2ContainerRegistryReadOnly",
        "Provides read-only access to Amazon EC2 Container Registry repositories.",
        (allow(*ECR_READ),),
    ),
    ManagedPolicy(
        "/",
        "AmazonEC2ContainerRegistryPowerUser",
        "Provides full access to Amazon EC2 Container Registry repositories, but does not allow repository deletion or "
        "policy changes.",
        (
            allow(
                *ECR_READ,
                "ecr:InitiateLayerUpload",
                "ecr:UploadLayerPart",
                "ecr:CompleteLayerUpload",
                "ecr:PutImage",
            ),
        ),
    ),
    ManagedPolicy(
        "/",
        "AmazonEC2ContainerRegistryPullOnly",
        "Policy to allow pulling images from ECR repositories",
        (allow(*ECR_PULL, "ecr:BatchGetImage", "ecr:BatchImportUpstreamImage"),),
    ),
    ManagedPolicy(
        "/",
        "AmazonEC2ContainerRegistryFullAccess",
        "Provides administrative access to Amazon ECR resources",
        (
            allow("ecr:*", "cloudtrail:LookupEvents"),
            allow(
                "iam:CreateServiceLinkedRole",
                when={"StringEquals": {"iam:AWSServiceName": ["replication.ecr.amazonaws.com"]}},
            ),
        ),
    ),
)

_DEPLOYING = tuple(
    ManagedPolicy(
        "/",
        name,
        description,
        (
            allow(
                "ecs:DescribeServices",
                "ecs:CreateTaskSet",
                "ecs:UpdateServicePrimaryTaskSet",
                "ecs:DeleteTaskSet",
                "cloudwatch:DescribeAlarms",
            ),
            allow("sns:Publish", on=topics),
            allow(
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeListeners",
                "elasticloadbalancing:ModifyListener",
                "elasticloadbalancing:DescribeRules",
                "elasticloadbalancing:ModifyRule",
            ),
            allow("lambda:InvokeFunction", on=functions),
            allow("s3:GetObject", "s3:GetObjectVersion", on=objects, when=tagged),
            allow(
                "iam:PassRole",
                on=("arn:aws:iam::*:role/ecsTaskExecutionRole", "arn:aws:iam::*:role/ECSTaskExecution*")
                if name.endswith("Limited")
                else "*",
                when=passed_to("ecs-tasks.amazonaws.com"),
            ),
        ),
    )
    for name, description, topics, functions, objects, tagged in (
        (
            "AWSCodeDeployRoleForECS",
            "Provides CodeDeploy service wide access to perform an ECS blue/green deployment on your behalf.",
            "*",
            "*",
            "*",
            None,
        ),
        (
            "AWSCodeDeployRoleForECSLimited",
            "Provides CodeDeploy service limited access to perform an ECS blue/green deployment on your behalf.",
            "arn:aws:sns:*:*:CodeDeployTopic_*",
            "arn:aws:lambda:*:*:function:CodeDeployHook_*",
            "*",
            {"StringEquals": {"s3:ExistingObjectTag/UseWithCodeDeploy": "true"}},
        ),
    )
)

CONTAINERS: tuple[ManagedPolicy, ...] = (*_TASKS, *_ECS, *_IMAGES, *_DEPLOYING)
