resource "aws_cloudwatch_log_group" "service" {
  for_each          = toset(["api", "web"])
  name              = "/ecs/${var.name}/${each.key}"
  retention_in_days = 7
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "${var.name}-errors"
  log_group_name = aws_cloudwatch_log_group.service["api"].name
  pattern        = "Traceback"
  metric_transformation {
    name      = "Errors"
    namespace = "Shop"
    value     = "1"
  }
}

resource "aws_ecs_cluster" "main" {
  name = var.name
}

locals {
  container = {
    image        = var.image
    command      = ["python3", "-c", local.program]
    essential    = true
    stopTimeout  = 5
    portMappings = [{ containerPort = 8080, protocol = "tcp" }]
  }
  logs = {
    for name, group in aws_cloudwatch_log_group.service : name => {
      logDriver = "awslogs"
      options   = { awslogs-group = group.name, awslogs-region = var.region, awslogs-stream-prefix = "shop" }
    }
  }
}

resource "aws_ecs_task_definition" "api" {
  family                   = "${var.name}-api"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions = jsonencode([merge(local.container, {
    name             = "api"
    environment      = [{ name = "ROLE", value = "api" }, { name = "GREETING", value = var.greeting }]
    logConfiguration = local.logs["api"]
    secrets = [
      { name = "DB_PASSWORD", valueFrom = "${aws_secretsmanager_secret.database.arn}:password::" },
      { name = "TABLE", valueFrom = aws_ssm_parameter.table.arn },
    ]
  })])
  depends_on = [aws_secretsmanager_secret_version.database]
}

resource "aws_ecs_task_definition" "web" {
  family                   = "${var.name}-web"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions = jsonencode([merge(local.container, {
    name = "web"
    environment = [
      { name = "API_URL", value = "http://api.${var.name}.internal:8080/" },
      { name = "ROLE", value = "web" },
    ]
    logConfiguration = local.logs["web"]
  })])
}

resource "aws_ecs_service" "api" {
  name                  = "api"
  cluster               = aws_ecs_cluster.main.id
  task_definition       = aws_ecs_task_definition.api.arn
  desired_count         = 2
  launch_type           = "FARGATE"
  wait_for_steady_state = true

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.tasks.id]
  }

  service_registries {
    registry_arn = aws_service_discovery_service.api.arn
  }
}

resource "aws_ecs_service" "web" {
  name                  = "web"
  cluster               = aws_ecs_cluster.main.id
  task_definition       = aws_ecs_task_definition.web.arn
  desired_count         = 2
  launch_type           = "FARGATE"
  wait_for_steady_state = true

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.tasks.id]
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.web.arn
    container_name   = "web"
    container_port   = 8080
  }

  depends_on = [aws_lb_listener_rule.hello]

  lifecycle {
    ignore_changes = [desired_count] # scaling.tf sets it
  }
}
