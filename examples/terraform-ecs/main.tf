# Two services on Fargate. Nothing in it knows Longshore: AWS_ENDPOINT_URL says where the APIs are (README.md).

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "current" {}

data "aws_availability_zones" "available" {
  state = "available"
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
  filter {
    name   = "availability-zone"
    values = data.aws_availability_zones.available.names
  }
}

locals {
  # Longshore pulls images and writes logs with its own rights: the role need not exist.
  execution_role_arn = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/ecsTaskExecutionRole"
}

resource "aws_cloudwatch_log_group" "app" {
  name              = "/ecs/${var.name}"
  retention_in_days = var.retention_in_days
  tags              = { Stage = var.stage }
}

resource "aws_ecs_cluster" "main" {
  name = var.name
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
  tags = { Stage = var.stage }
}

# nginx serves a page that its neighbour writes into a volume they share.
resource "aws_ecs_task_definition" "web" {
  family                   = "${var.name}-web"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = local.execution_role_arn
  tags                     = { Stage = var.stage }

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }

  volume {
    name = "pages"
  }

  container_definitions = jsonencode([
    {
      name         = "web"
      image        = "nginx:alpine"
      essential    = true
      portMappings = [{ name = "http", containerPort = 80, protocol = "tcp" }]
      mountPoints  = [{ sourceVolume = "pages", containerPath = "/usr/share/nginx/html", readOnly = true }]
      dependsOn    = [{ containerName = "writer", condition = "START" }]
      healthCheck = {
        command     = ["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1/ || exit 1"]
        interval    = 5
        timeout     = 2
        startPeriod = 5
      }
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.app.name
          awslogs-region        = var.region
          awslogs-stream-prefix = "web"
        }
      }
    },
    {
      name        = "writer"
      image       = "busybox"
      essential   = true
      command     = ["sh", "-c", "while true; do echo \"$GREETING, it is $(date)\" >/pages/index.html; sleep 1; done"]
      environment = [{ name = "GREETING", value = var.greeting }]
      mountPoints = [{ sourceVolume = "pages", containerPath = "/pages" }]
      stopTimeout = 2
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.app.name
          awslogs-region        = var.region
          awslogs-stream-prefix = "web"
        }
      }
    },
  ])
}

resource "aws_ecs_service" "web" {
  name                    = "web"
  cluster                 = aws_ecs_cluster.main.id
  task_definition         = aws_ecs_task_definition.web.arn
  desired_count           = var.tasks
  launch_type             = "FARGATE"
  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"
  wait_for_steady_state   = true
  tags                    = { Stage = var.stage }

  network_configuration {
    subnets          = data.aws_subnets.default.ids
    assign_public_ip = true
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
}

# The least that a service needs.
resource "aws_ecs_task_definition" "worker" {
  family                   = "${var.name}-worker"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 256
  memory                   = 512
  container_definitions    = jsonencode([{ name = "worker", image = "busybox", command = ["sleep", "1000000"] }])
}

resource "aws_ecs_service" "worker" {
  name            = "worker"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.worker.arn
  desired_count   = 1
  launch_type     = "FARGATE"

  network_configuration {
    subnets = data.aws_subnets.default.ids
  }

  lifecycle {
    ignore_changes = [tags] # aws_ecs_tag below sets them
  }
}

# A single tag on something that is managed elsewhere.
resource "aws_ecs_tag" "owner" {
  resource_arn = aws_ecs_service.worker.id
  key          = "Owner"
  value        = "platform"
}
