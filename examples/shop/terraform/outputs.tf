output "url" {
  value = "http://${aws_lb.main.dns_name}/hello"
}

output "balancer" {
  value = aws_lb.main.dns_name
}

output "cluster" {
  value = aws_ecs_cluster.main.name
}

output "repository" {
  value = aws_ecr_repository.app.repository_url
}
