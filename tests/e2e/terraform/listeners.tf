# Listeners with every kind of action and TLS setting, rules with every kind of condition, certificates of both origins.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "front" {
  type = string
}

variable "inner" {
  type = string
}

variable "path" {
  type    = string
  default = "/a/*"
}

variable "certificate" {
  type = string
}

variable "key" {
  type      = string
  sensitive = true
}

variable "authorities" {
  type = string
}

data "aws_vpc" "default" {
  default = true
}

resource "aws_lb_target_group" "web" {
  for_each    = toset(["blue", "green"])
  name        = each.key
  port        = 80
  protocol    = "HTTP"
  vpc_id      = data.aws_vpc.default.id
  target_type = "ip"
}

resource "aws_lb_target_group" "raw" {
  name        = "raw"
  port        = 5432
  protocol    = "TCP"
  vpc_id      = data.aws_vpc.default.id
  target_type = "ip"
}

resource "aws_acm_certificate" "requested" {
  domain_name               = "www.example.com"
  subject_alternative_names = ["*.example.com"]
  validation_method         = "DNS"
  key_algorithm             = "EC_prime256v1"

  tags = {
    kind = "requested"
  }
}

resource "aws_acm_certificate_validation" "requested" {
  certificate_arn         = aws_acm_certificate.requested.arn
  validation_record_fqdns = [for option in aws_acm_certificate.requested.domain_validation_options : option.resource_record_name]
}

resource "aws_acm_certificate" "imported" {
  certificate_body = var.certificate
  private_key      = var.key
}

resource "aws_lb_trust_store" "clients" {
  name                             = "clients"
  ca_certificates_bundle_s3_bucket = "inline"
  ca_certificates_bundle_s3_key    = var.authorities
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = var.front
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = var.front
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate_validation.requested.certificate_arn

  default_action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.web["blue"].arn
        weight = 90
      }

      target_group {
        arn    = aws_lb_target_group.web["green"].arn
        weight = 10
      }

      stickiness {
        enabled  = true
        duration = 600
      }
    }
  }

  tags = {
    tier = "front"
  }
}

resource "aws_lb_listener" "mutual" {
  load_balancer_arn = var.front
  port              = 8443
  protocol          = "HTTPS"
  certificate_arn   = aws_acm_certificate.imported.arn

  mutual_authentication {
    mode            = "verify"
    trust_store_arn = aws_lb_trust_store.clients.arn
  }

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "Nothing here"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_certificate" "second" {
  listener_arn    = aws_lb_listener.https.arn
  certificate_arn = aws_acm_certificate.imported.arn
}

resource "aws_lb_listener" "tcp" {
  load_balancer_arn        = var.inner
  port                     = 5432
  protocol                 = "TCP"
  tcp_idle_timeout_seconds = 600

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.raw.arn
  }
}

resource "aws_lb_listener" "tls" {
  load_balancer_arn = var.inner
  port              = 443
  protocol          = "TLS"
  certificate_arn   = aws_acm_certificate.imported.arn
  alpn_policy       = "HTTP2Preferred"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.raw.arn
  }
}

resource "aws_lb_listener_rule" "path" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 10

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web["green"].arn
  }

  condition {
    path_pattern {
      values = [var.path]
    }
  }

  condition {
    host_header {
      values = ["*.example.com"]
    }
  }
}

resource "aws_lb_listener_rule" "others" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 20

  action {
    type = "redirect"

    redirect {
      host        = "new.#{host}"
      path        = "/moved/#{path}"
      status_code = "HTTP_302"
    }
  }

  condition {
    http_header {
      http_header_name = "X-Version"
      values           = ["old*"]
    }
  }

  condition {
    http_request_method {
      values = ["GET", "HEAD"]
    }
  }

  condition {
    query_string {
      key   = "version"
      value = "1"
    }
  }

  condition {
    source_ip {
      values = ["10.0.0.0/8"]
    }
  }

  tags = {
    kind = "old"
  }
}

resource "aws_lb_listener_rule" "unnumbered" {
  listener_arn = aws_lb_listener.http.arn

  action {
    type = "fixed-response"

    fixed_response {
      content_type = "application/json"
      message_body = "{}"
      status_code  = "200"
    }
  }

  condition {
    path_pattern {
      values = ["/ping"]
    }
  }
}
