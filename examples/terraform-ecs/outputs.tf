output "cluster" {
  value = aws_ecs_cluster.main.name
}

output "account" {
  value = data.aws_caller_identity.current.account_id
}

output "vpc" {
  value = data.aws_vpc.default.id
}

output "subnets" {
  value = data.aws_subnets.default.ids
}
