# api.NAME.internal is every task of the api; shop.NAME.example is the load balancer.

resource "aws_service_discovery_private_dns_namespace" "internal" {
  name = "${var.name}.internal"
  vpc  = aws_vpc.main.id
}

resource "aws_service_discovery_service" "api" {
  name = "api"
  dns_config {
    namespace_id = aws_service_discovery_private_dns_namespace.internal.id
    dns_records {
      ttl  = 0
      type = "A"
    }
  }
}

resource "aws_route53_zone" "private" {
  name = "${var.name}.example"
  vpc {
    vpc_id = aws_vpc.main.id
  }
}

resource "aws_route53_record" "shop" {
  zone_id = aws_route53_zone.private.zone_id
  name    = "shop"
  type    = "A"
  alias {
    name                   = aws_lb.main.dns_name
    zone_id                = aws_lb.main.zone_id
    evaluate_target_health = true
  }
}
