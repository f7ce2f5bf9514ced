# Keys, secrets and parameters, and a task that gets them: what tests/e2e/test_terraform_secrets.py applies.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "word" {
  type    = string
  default = "one"
}

variable "description" {
  type    = string
  default = "first"
}

variable "level" {
  type    = string
  default = "info"
}

data "aws_caller_identity" "me" {}

resource "aws_kms_key" "own" {
  description             = var.description
  deletion_window_in_days = 7
  enable_key_rotation     = true
  tags                    = { level = var.level }
}

resource "aws_kms_alias" "own" {
  name          = "alias/tf"
  target_key_id = aws_kms_key.own.key_id
}

resource "aws_kms_key" "signer" {
  customer_master_key_spec = "ECC_NIST_P256"
  key_usage                = "SIGN_VERIFY"
  deletion_window_in_days  = 7
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "All"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

resource "aws_kms_grant" "reader" {
  name              = "reader"
  key_id            = aws_kms_key.own.key_id
  grantee_principal = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:role/reader"
  operations        = ["Decrypt", "GenerateDataKey"]
}

resource "aws_secretsmanager_secret" "db" {
  name                    = "tf/db"
  description             = var.description
  kms_key_id              = aws_kms_key.own.arn
  recovery_window_in_days = 0
  tags                    = { level = var.level }
}

resource "aws_secretsmanager_secret_version" "db" {
  secret_id     = aws_secretsmanager_secret.db.id
  secret_string = jsonencode({ user = "me", password = var.word })
}

resource "aws_secretsmanager_secret_policy" "db" {
  secret_arn = aws_secretsmanager_secret.db.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Read"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:root" }
      Action    = "secretsmanager:GetSecretValue"
      Resource  = "*"
    }]
  })
}

resource "aws_secretsmanager_secret_rotation" "db" {
  secret_id           = aws_secretsmanager_secret_version.db.secret_id
  rotation_lambda_arn = "arn:aws:lambda:us-east-1:${data.aws_caller_identity.me.account_id}:function:rotate"

  rotation_rules {
    automatically_after_days = 30
  }
}

resource "aws_secretsmanager_secret" "plain" {
  name_prefix = "tf-plain-"
}

resource "aws_ssm_parameter" "level" {
  name            = "/tf/level"
  type            = "String"
  value           = var.level
  description     = var.description
  allowed_pattern = "^[a-z]+$"
}

resource "aws_ssm_parameter" "secure" {
  name  = "/tf/secure"
  type  = "SecureString"
  value = var.word
}

resource "aws_ssm_parameter" "keyed" {
  name   = "/tf/keyed"
  type   = "SecureString"
  value  = var.word
  key_id = aws_kms_alias.own.name
  tier   = "Advanced"
  tags   = { level = var.level }
}

resource "aws_ssm_parameter" "list" {
  name  = "tf-list"
  type  = "StringList"
  value = "a,b"
}

data "aws_ssm_parameter" "image" {
  name = "/aws/service/ecs/optimized-ami/amazon-linux-2/recommended/image_id"
}

data "aws_ssm_parameter" "secure" {
  name       = aws_ssm_parameter.secure.name
  depends_on = [aws_ssm_parameter.secure]
}

data "aws_ssm_parameters_by_path" "all" {
  path       = "/tf"
  depends_on = [aws_ssm_parameter.level, aws_ssm_parameter.secure, aws_ssm_parameter.keyed]
}

data "aws_kms_alias" "managed" {
  name = "alias/aws/secretsmanager"
}

data "aws_kms_key" "own" {
  key_id = aws_kms_alias.own.name
}

data "aws_secretsmanager_secret_version" "db" {
  secret_id  = aws_secretsmanager_secret.db.id
  depends_on = [aws_secretsmanager_secret_version.db]
}

data "aws_secretsmanager_random_password" "made" {
  password_length     = 20
  exclude_punctuation = true
}

resource "aws_ecs_cluster" "tf" {
  name = "tf"
}

resource "aws_ecs_task_definition" "app" {
  family                   = "app"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:role/execution"
  container_definitions = jsonencode([{
    name      = "app"
    image     = "busybox"
    essential = true
    secrets = [
      { name = "PASSWORD", valueFrom = "${aws_secretsmanager_secret.db.arn}:password::" },
      { name = "KEY", valueFrom = aws_ssm_parameter.keyed.arn },
      { name = "LEVEL", valueFrom = aws_ssm_parameter.level.name },
    ]
  }])
}

output "image" {
  value = nonsensitive(data.aws_ssm_parameter.image.value)
}

output "read" {
  value = nonsensitive(jsondecode(data.aws_secretsmanager_secret_version.db.secret_string)["password"])
}

output "secure" {
  value = nonsensitive(data.aws_ssm_parameter.secure.value)
}

output "names" {
  value = sort(data.aws_ssm_parameters_by_path.all.names)
}

output "managed_key" {
  value = data.aws_kms_alias.managed.target_key_id
}

output "own_key" {
  value = data.aws_kms_key.own.id
}

output "task_definition" {
  value = aws_ecs_task_definition.app.arn
}
