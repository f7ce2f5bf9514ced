# Beside examples/terraform-ecs, in the same project: other fields, other ways to write them, data sources.

data "aws_region" "current" {}

data "aws_subnet" "first" {
  id = sort(data.aws_subnets.default.ids)[0]
}

data "aws_security_group" "default" {
  vpc_id = data.aws_vpc.default.id
  name   = "default"
}

data "aws_route_tables" "default" {
  vpc_id = data.aws_vpc.default.id
}

data "aws_ecs_cluster" "example" {
  cluster_name = aws_ecs_cluster.main.name
}

data "aws_ecs_service" "worker" {
  service_name = aws_ecs_service.worker.name
  cluster_arn  = aws_ecs_cluster.main.arn
}

data "aws_ecs_task_definition" "worker" {
  task_definition = aws_ecs_task_definition.worker.family
}

output "main_route_table" {
  value = data.aws_vpc.default.main_route_table_id
}

resource "aws_cloudwatch_log_group" "plain" {
  name_prefix = "plain-"
}

resource "aws_cloudwatch_log_stream" "one" {
  name           = "one"
  log_group_name = aws_cloudwatch_log_group.plain.name
}

resource "aws_ecs_account_setting_default" "insights" {
  name  = "containerInsights"
  value = "enabled"
}

resource "aws_ecs_cluster" "execute" {
  name = "execute"
  configuration {
    execute_command_configuration {
      logging = "OVERRIDE"
      log_configuration {
        cloud_watch_log_group_name = aws_cloudwatch_log_group.plain.name
      }
    }
  }
}

resource "aws_ecs_task_definition" "full" {
  family                   = "full"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 1024
  memory                   = 2048
  execution_role_arn       = local.execution_role_arn
  task_role_arn            = local.execution_role_arn
  pid_mode                 = "task"
  track_latest             = true

  ephemeral_storage {
    size_in_gib = 30
  }

  volume {
    name                = "data"
    configure_at_launch = false
  }

  container_definitions = jsonencode([
    {
      name              = "app"
      image             = "busybox"
      essential         = true
      cpu               = 10
      memory            = 128
      memoryReservation = 64
      entryPoint        = ["sh"]
      command           = ["-c", "sleep 100"]
      workingDirectory  = "/data"
      user              = "1000"
      environment = [
        { name = "Z", value = "1" },
        { name = "A", value = "2" },
        { name = "EMPTY", value = "" },
      ]
      secrets                = []
      ulimits                = [{ name = "nofile", softLimit = 1024, hardLimit = 2048 }]
      linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
      dockerLabels           = { a = "b" }
      readonlyRootFilesystem = true
      interactive            = true
      pseudoTerminal         = true
      startTimeout           = 60
      stopTimeout            = 30
      systemControls         = [{ namespace = "net.core.somaxconn", value = "1024" }]
      portMappings = [
        { containerPort = 80, name = "http", appProtocol = "http" },
        { containerPort = 81, hostPort = 81, protocol = "udp" },
        { containerPortRange = "100-110" },
      ]
      mountPoints        = [{ sourceVolume = "data", containerPath = "/data" }]
      volumesFrom        = []
      restartPolicy      = { enabled = true, restartAttemptPeriod = 60, ignoredExitCodes = [0] }
      versionConsistency = "disabled"
    },
    {
      name        = "beside"
      image       = "busybox"
      essential   = false
      dependsOn   = [{ containerName = "app", condition = "START" }]
      volumesFrom = [{ sourceContainer = "app", readOnly = true }]
      environment = null
    },
  ])
}

resource "aws_ecs_task_definition" "bridge" {
  family = "bridge"

  volume {
    name      = "host"
    host_path = "/tmp"
  }

  volume {
    name = "docker"
    docker_volume_configuration {
      scope         = "shared"
      autoprovision = true
      driver        = "local"
      labels        = { a = "b" }
    }
  }

  placement_constraints {
    type       = "memberOf"
    expression = "attribute:ecs.os-type == linux"
  }

  container_definitions = jsonencode([{
    name         = "app"
    image        = "busybox"
    memory       = 64
    portMappings = [{ containerPort = 80, hostPort = 0 }]
    links        = []
  }])
}

# No desired count and no launch type: none of its tasks run.
resource "aws_ecs_service" "bare" {
  name            = "bare"
  cluster         = aws_ecs_cluster.main.name
  task_definition = "${aws_ecs_task_definition.worker.family}:${aws_ecs_task_definition.worker.revision}"

  network_configuration {
    subnets = data.aws_subnets.default.ids
  }
}

resource "aws_service_discovery_http_namespace" "shop" {
  name = "shop"
}

resource "aws_ecs_service" "full" {
  name                               = "full"
  cluster                            = aws_ecs_cluster.main.id
  task_definition                    = aws_ecs_task_definition.full.arn
  desired_count                      = 1
  launch_type                        = "FARGATE"
  platform_version                   = "1.4.0"
  scheduling_strategy                = "REPLICA"
  availability_zone_rebalancing      = "ENABLED"
  deployment_maximum_percent         = 250
  deployment_minimum_healthy_percent = 50
  health_check_grace_period_seconds  = 5
  force_new_deployment               = true
  force_delete                       = true
  propagate_tags                     = "TASK_DEFINITION"
  triggers                           = { stage = var.stage }
  wait_for_steady_state              = true
  tags                               = var.stage == "dev" ? { A = "1", B = "2" } : { B = "3" }

  deployment_controller {
    type = "ECS"
  }

  network_configuration {
    subnets         = [data.aws_subnet.first.id]
    security_groups = [data.aws_security_group.default.id]
  }

  service_connect_configuration {
    enabled   = true
    namespace = aws_service_discovery_http_namespace.shop.arn

    service {
      port_name      = "http"
      discovery_name = "full"

      client_alias {
        port     = 80
        dns_name = "full"
      }

      timeout {
        idle_timeout_seconds        = var.stage == "dev" ? 30 : 60
        per_request_timeout_seconds = 5
      }
    }
  }
}
