resource "aws_kms_key" "main" {
  description             = "Secrets of ${var.name}"
  deletion_window_in_days = 7
  enable_key_rotation     = true
}

resource "aws_kms_alias" "main" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.main.key_id
}

resource "aws_secretsmanager_secret" "database" {
  name                    = "${var.name}/database"
  kms_key_id              = aws_kms_key.main.arn
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "database" {
  secret_id     = aws_secretsmanager_secret.database.id
  secret_string = jsonencode({ username = "keeper", password = var.password })
}

resource "aws_ssm_parameter" "table" {
  name  = "/${var.name}/table"
  type  = "String"
  value = var.table
}

resource "aws_ssm_parameter" "token" {
  name   = "/${var.name}/token"
  type   = "SecureString"
  value  = var.password
  key_id = aws_kms_key.main.key_id
}
