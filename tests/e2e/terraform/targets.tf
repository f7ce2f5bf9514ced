# Target groups of every protocol and their targets, as users write them.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "interval" {
  type    = number
  default = 15
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

data "aws_subnet" "one" {
  id = sort(data.aws_subnets.all.ids)[0]
}

resource "aws_lb_target_group" "web" {
  name                          = "web"
  port                          = 80
  protocol                      = "HTTP"
  vpc_id                        = data.aws_vpc.default.id
  target_type                   = "ip"
  deregistration_delay          = 30
  load_balancing_algorithm_type = "least_outstanding_requests"

  health_check {
    path                = "/ping"
    port                = 8080
    interval            = var.interval
    timeout             = 4
    matcher             = "200-299"
    healthy_threshold   = 3
    unhealthy_threshold = 4
  }

  stickiness {
    type            = "lb_cookie"
    enabled         = true
    cookie_duration = 600
  }

  tags = {
    tier = "front"
  }
}

resource "aws_lb_target_group" "grpc" {
  name             = "grpc"
  port             = 80
  protocol         = "HTTP"
  protocol_version = "GRPC"
  vpc_id           = data.aws_vpc.default.id
  target_type      = "ip"
}

resource "aws_lb_target_group" "raw" {
  name              = "raw"
  port              = 5432
  protocol          = "TCP"
  vpc_id            = data.aws_vpc.default.id
  target_type       = "ip"
  proxy_protocol_v2 = true

  health_check {
    protocol = "HTTP"
    interval = var.interval
  }
}

resource "aws_lb_target_group" "plain" {
  port     = 443
  protocol = "TLS"
  vpc_id   = data.aws_vpc.default.id
}

resource "aws_lb_target_group_attachment" "near" {
  target_group_arn = aws_lb_target_group.raw.arn
  target_id        = cidrhost(data.aws_subnet.one.cidr_block, 99)
  port             = 5433
}

resource "aws_lb_target_group_attachment" "far" {
  target_group_arn  = aws_lb_target_group.raw.arn
  target_id         = "10.9.9.9"
  availability_zone = "all"
}
