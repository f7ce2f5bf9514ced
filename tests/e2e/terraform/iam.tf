# Roles with inline and managed policies, a policy with versions, an instance profile, users with keys and groups, a
# service-linked role, an identity provider, what is asked of passwords, and a task definition with its roles.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "action" {
  type    = string
  default = "ecs:ListClusters"
}

variable "description" {
  type    = string
  default = "of the application"
}

variable "session" {
  type    = number
  default = 3600
}

data "aws_caller_identity" "me" {}

data "aws_iam_policy" "execution" {
  arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

data "aws_iam_policy" "logs" {
  name = "CloudWatchLogsFullAccess"
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.me.account_id]
    }
  }
}

data "aws_iam_policy_document" "app" {
  statement {
    sid       = "Clusters"
    actions   = [var.action]
    resources = ["*"]
  }
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:aws:logs:*:*:log-group:/app:*"]
  }
}

resource "aws_iam_role" "task" {
  name                 = "tf-task"
  path                 = "/app/"
  description          = var.description
  max_session_duration = var.session
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = aws_iam_policy.boundary.arn
  tags                 = { tier = "app" }
}

resource "aws_iam_role" "execution" {
  name_prefix        = "tf-execution-"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role" "host" {
  name                  = "tf-host"
  force_detach_policies = true
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_policy" "app" {
  name        = "tf-app"
  path        = "/app/"
  description = "what the application may"
  policy      = data.aws_iam_policy_document.app.json
  tags        = { tier = "app" }
}

resource "aws_iam_policy" "boundary" {
  name_prefix = "tf-boundary-"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["ecs:*", "logs:*"], Resource = "*" }]
  })
}

resource "aws_iam_role_policy" "own" {
  name   = "own"
  role   = aws_iam_role.task.id
  policy = data.aws_iam_policy_document.app.json
}

resource "aws_iam_role_policy_attachment" "app" {
  role       = aws_iam_role.task.name
  policy_arn = aws_iam_policy.app.arn
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = data.aws_iam_policy.execution.arn
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.execution.name
  policy_arn = data.aws_iam_policy.logs.arn
}

resource "aws_iam_role_policy_attachment" "unknown" {
  role       = aws_iam_role.host.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonKinesisReadOnlyAccess"
}

resource "aws_iam_instance_profile" "host" {
  name = "tf-host"
  role = aws_iam_role.host.name
  tags = { tier = "hosts" }
}

resource "aws_iam_service_linked_role" "ecs" {
  aws_service_name = "ecs.amazonaws.com"
  description      = var.description
  tags             = { of = var.description }
}

resource "aws_iam_account_password_policy" "strict" {
  minimum_password_length = var.session == 3600 ? 12 : 14
  require_symbols         = true
  max_password_age        = 90
}

resource "aws_iam_openid_connect_provider" "builds" {
  url             = "https://builds.example.com/a"
  client_id_list  = ["sts.amazonaws.com", var.session == 3600 ? "one" : "two"]
  thumbprint_list = [var.session == 3600 ? "a031c46782e6e6c662c2c87c76da9aa62ccabd8e" : "9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]
  tags            = { of = var.description }
}

data "aws_iam_policy_document" "builds" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.builds.arn]
    }
  }
}

resource "aws_iam_role" "builds" {
  name               = "tf-builds"
  assume_role_policy = data.aws_iam_policy_document.builds.json
}

resource "aws_iam_user" "ci" {
  name          = "tf-ci"
  path          = "/robots/"
  force_destroy = true
  tags          = { tier = "ci" }
}

resource "aws_iam_access_key" "ci" {
  user = aws_iam_user.ci.name
}

resource "aws_iam_user_policy" "ci" {
  name   = "own"
  user   = aws_iam_user.ci.name
  policy = data.aws_iam_policy_document.app.json
}

resource "aws_iam_user_policy_attachment" "ci" {
  user       = aws_iam_user.ci.name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_iam_group" "robots" {
  name = "tf-robots"
}

resource "aws_iam_group_policy" "own" {
  name   = "own"
  group  = aws_iam_group.robots.name
  policy = data.aws_iam_policy_document.app.json
}

resource "aws_iam_group_policy_attachment" "robots" {
  group      = aws_iam_group.robots.name
  policy_arn = aws_iam_policy.app.arn
}

resource "aws_iam_group_membership" "robots" {
  name  = "robots"
  group = aws_iam_group.robots.name
  users = [aws_iam_user.ci.name]
}

resource "aws_iam_account_alias" "ours" {
  account_alias = "tf-ours"
}

resource "aws_ecs_task_definition" "app" {
  family                   = "tf-iam"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 256
  memory                   = 512
  task_role_arn            = aws_iam_role.task.arn
  execution_role_arn       = aws_iam_role.execution.arn
  container_definitions    = jsonencode([{ name = "app", image = "busybox" }])
}

data "aws_iam_role" "task" {
  name       = aws_iam_role.task.name
  depends_on = [aws_iam_role.task]
}

output "key" {
  value = aws_iam_access_key.ci.id
}

output "secret" {
  value     = aws_iam_access_key.ci.secret
  sensitive = true
}

output "policy" {
  value = aws_iam_policy.app.arn
}

output "task_role" {
  value = data.aws_iam_role.task.arn
}
