"""The services of AWS that interface endpoints can be made for, by what stands behind `com.amazonaws.REGION.`.

Source: "AWS services that integrate with AWS PrivateLink"; without those for FIPS and for one partition alone.
"""

INTERFACES = (
    *("access-analyzer", "acm-pca", "airflow.api", "airflow.env", "airflow.ops", "apigateway", "app-integrations"),
    *("appconfig", "appconfigdata", "application-autoscaling", "appmesh", "appmesh-envoy-management", "apprunner"),
    *("apprunner.requests", "appstream.api", "appstream.streaming", "appsync-api", "aps", "aps-workspaces", "athena"),
    *("auditmanager", "autoscaling", "autoscaling-plans", "backup", "backup-gateway", "batch", "bedrock"),
    *("bedrock-agent", "bedrock-agent-runtime", "bedrock-runtime", "billingconductor", "braket", "cassandra"),
    *("cleanrooms", "cloudcontrolapi", "clouddirectory", "cloudformation", "cloudhsmv2", "cloudtrail"),
    *("codeartifact.api", "codeartifact.repositories", "codebuild", "codecommit", "codedeploy"),
    *("codedeploy-commands-secure", "codeguru-profiler", "codeguru-reviewer", "codepipeline"),
    *("codestar-connections.api", "comprehend", "comprehendmedical", "config", "connect-campaigns"),
    *("data-servicediscovery", "databrew", "dataexchange", "datasync", "datazone", "devops-guru", "dms", "ds"),
    *("dynamodb", "ebs", "ec2", "ec2messages", "ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "eks"),
    *("eks-auth", "elasticache", "elasticbeanstalk", "elasticbeanstalk-health", "elasticfilesystem"),
    *("elasticloadbalancing", "elasticmapreduce", "email-smtp", "emr-containers", "emr-serverless"),
    *("entityresolution", "events", "evidently", "execute-api", "fis", "forecast", "forecastquery", "frauddetector"),
    *("fsx", "git-codecommit", "glue", "grafana", "grafana-workspace", "greengrass", "groundstation"),
    *("guardduty-data", "healthlake", "identitystore", "imagebuilder", "inspector-scan", "inspector2"),
    *("internetmonitor", "iot.credentials", "iot.data", "iotsitewise.api", "iotsitewise.data", "iottwinmaker.api"),
    *("iottwinmaker.data", "iotwireless.api", "kendra", "kinesis-firehose", "kinesis-streams", "kms"),
    *("lakeformation", "lambda", "license-manager", "logs", "lookoutequipment", "lookoutmetrics", "lookoutvision"),
    *("m2", "macie2", "medical-imaging", "memory-db", "mgn", "migrationhub-orchestrator", "models-v2-lex"),
    *("monitoring", "mq", "neptune-graph", "networkmonitor", "organizations", "panorama"),
    *("payment-cryptography.controlplane", "payment-cryptography.dataplane", "pca-connector-ad", "personalize"),
    *("personalize-events", "personalize-runtime", "pinpoint", "pinpoint-sms-voice-v2", "pipes", "pipes-data"),
    *("polly", "proton", "qldb.session", "rds", "rds-data", "redshift", "redshift-data", "redshift-serverless"),
    *("refactor-spaces", "rekognition", "resource-groups", "robomaker", "rolesanywhere", "rum", "rum-dataplane"),
    *("runtime-v2-lex", "s3", "sagemaker.api", "sagemaker.featurestore-runtime", "sagemaker.metrics"),
    *("sagemaker.runtime", "scheduler", "secretsmanager", "securityhub", "securitylake", "servicecatalog"),
    *("servicecatalog-appregistry", "servicediscovery", "signer", "sns", "sqs", "ssm", "ssm-contacts"),
    *("ssm-incidents", "ssmmessages", "states", "storagegateway", "sts", "swf", "sync-states", "synthetics"),
    *("tagging", "textract", "timestream-influxdb", "transcribe", "transcribestreaming", "transfer"),
    *("transfer.server", "translate", "verifiedpermissions", "voiceid", "vpc-lattice", "wafv2", "wellarchitected"),
    *("wisdom", "workspaces", "xray"),
)
