# Namespaces, Cloud Map services and instances, a service of ECS with a registry, and a private zone with records.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "ttl" {
  type    = number
  default = 10
}

variable "comment" {
  type    = string
  default = "records of our own"
}

variable "front" {
  type = string
}

data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "all" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

data "aws_lb" "front" {
  arn = var.front
}

resource "aws_service_discovery_private_dns_namespace" "main" {
  name        = "tf.internal"
  description = "names of this project"
  vpc         = data.aws_vpc.default.id
  tags        = { tier = "names" }
}

resource "aws_service_discovery_public_dns_namespace" "open" {
  name = "tf.example.com"
}

resource "aws_service_discovery_http_namespace" "calls" {
  name        = "tf-calls"
  description = "found by calls"
}

resource "aws_service_discovery_service" "web" {
  name = "web"

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.main.id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = "A"
      ttl  = var.ttl
    }
  }

  health_check_custom_config {
    failure_threshold = 1
  }

  tags = { tier = "names" }
}

resource "aws_service_discovery_service" "ported" {
  name = "ported"

  dns_config {
    namespace_id = aws_service_discovery_private_dns_namespace.main.id

    dns_records {
      type = "A"
      ttl  = 5
    }

    dns_records {
      type = "SRV"
      ttl  = var.ttl
    }
  }
}

resource "aws_service_discovery_service" "checked" {
  name = "checked"

  dns_config {
    namespace_id   = aws_service_discovery_public_dns_namespace.open.id
    routing_policy = "WEIGHTED"

    dns_records {
      type = "A"
      ttl  = 60
    }
  }

  health_check_config {
    type              = "HTTP"
    resource_path     = "/health"
    failure_threshold = 3
  }
}

resource "aws_service_discovery_service" "called" {
  name         = "called"
  namespace_id = aws_service_discovery_http_namespace.calls.id
}

resource "aws_service_discovery_instance" "one" {
  instance_id = "one"
  service_id  = aws_service_discovery_service.ported.id

  attributes = {
    AWS_INSTANCE_IPV4 = "172.31.0.201"
    AWS_INSTANCE_PORT = tostring(8000 + var.ttl)
    color             = "blue"
  }
}

data "aws_service_discovery_dns_namespace" "main" {
  name       = aws_service_discovery_private_dns_namespace.main.name
  type       = "DNS_PRIVATE"
  depends_on = [aws_service_discovery_private_dns_namespace.main]
}

data "aws_service_discovery_service" "web" {
  name         = aws_service_discovery_service.web.name
  namespace_id = data.aws_service_discovery_dns_namespace.main.id
}

data "aws_route53_zone" "of_namespace" {
  zone_id = aws_service_discovery_private_dns_namespace.main.hosted_zone
}

resource "aws_ecs_cluster" "main" {
  name = "names"
}

resource "aws_ecs_task_definition" "web" {
  family                   = "web"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 256
  memory                   = 512
  container_definitions = jsonencode([
    { name = "app", image = "busybox", essential = true, portMappings = [{ containerPort = 80 }] }
  ])
}

resource "aws_ecs_service" "web" {
  name            = "web"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.web.arn
  desired_count   = 2
  launch_type     = "FARGATE"

  network_configuration {
    subnets = data.aws_subnets.all.ids
  }

  service_registries {
    registry_arn = aws_service_discovery_service.web.arn
  }
}

resource "aws_ecs_service" "ported" {
  name            = "ported"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.web.arn
  desired_count   = 1
  launch_type     = "FARGATE"

  network_configuration {
    subnets = data.aws_subnets.all.ids
  }

  service_registries {
    registry_arn   = aws_service_discovery_service.ported.arn
    container_name = "app"
    container_port = 80
  }
}

resource "aws_route53_zone" "own" {
  name          = "own.internal"
  comment       = var.comment
  force_destroy = true
  tags          = { tier = "names" }

  vpc {
    vpc_id = data.aws_vpc.default.id
  }
}

resource "aws_route53_record" "db" {
  zone_id = aws_route53_zone.own.zone_id
  name    = "db"
  type    = "A"
  ttl     = var.ttl
  records = ["10.0.0.1", "10.0.0.2"]
}

resource "aws_route53_record" "wild" {
  zone_id = aws_route53_zone.own.zone_id
  name    = "*.apps.own.internal"
  type    = "CNAME"
  ttl     = 30
  records = ["db.own.internal"]
}

resource "aws_route53_record" "text" {
  zone_id = aws_route53_zone.own.zone_id
  name    = "own.internal"
  type    = "TXT"
  ttl     = 30
  records = ["a text", "another \"quoted\" one"]
}

resource "aws_route53_record" "weighted" {
  for_each       = { blue = 90, green = 10 }
  zone_id        = aws_route53_zone.own.zone_id
  name           = "weighted"
  type           = "A"
  ttl            = 30
  records        = ["10.0.1.${each.value}"]
  set_identifier = each.key

  weighted_routing_policy {
    weight = each.value
  }
}

resource "aws_route53_record" "many" {
  for_each                         = toset(["1", "2"])
  zone_id                          = aws_route53_zone.own.zone_id
  name                             = "many"
  type                             = "A"
  ttl                              = 30
  records                          = ["10.0.2.${each.value}"]
  set_identifier                   = each.value
  multivalue_answer_routing_policy = true
}

resource "aws_route53_record" "front" {
  zone_id = aws_route53_zone.own.zone_id
  name    = "front"
  type    = "A"

  alias {
    name                   = data.aws_lb.front.dns_name
    zone_id                = data.aws_lb.front.zone_id
    evaluate_target_health = true
  }
}

# Destroyed with what others put into it, for which Terraform asks whether it is signed.
resource "aws_route53_zone" "public" {
  name          = "open.example.org"
  force_destroy = true
}

resource "aws_route53_record" "www" {
  zone_id = aws_route53_zone.public.zone_id
  name    = "www"
  type    = "A"
  ttl     = 30
  records = ["192.0.2.1"]
}

output "zone_of_namespace" {
  value = data.aws_route53_zone.of_namespace.name
}

output "web_arn_as_found" {
  value = data.aws_service_discovery_service.web.arn
}
