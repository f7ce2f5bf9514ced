# The shop: two services behind a load balancer, with all that a stack has around them. Nothing in it knows Longshore:
# AWS_ENDPOINT_URL says where the APIs are (../README.md).

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
  default_tags {
    tags = { Project = var.name }
  }
}

data "aws_caller_identity" "current" {}

data "aws_availability_zones" "available" {
  state = "available"
}

locals {
  zones   = slice(data.aws_availability_zones.available.names, 0, 2)
  account = data.aws_caller_identity.current.account_id
  program = file("${path.module}/../app.py")
}
