variable "region" {
  type    = string
  default = "us-east-1"
}

variable "name" {
  description = "The beginning of every name"
  type        = string
  default     = "shop"
}

variable "cidr" {
  description = "The VPC's addresses"
  type        = string
  default     = "10.20.0.0/16"
}

variable "image" {
  description = "An image that has python3"
  type        = string
  default     = "python:3-alpine"
}

variable "greeting" {
  type    = string
  default = "Hello"
}

variable "table" {
  type    = string
  default = "orders"
}

variable "password" {
  type      = string
  default   = "correct horse"
  sensitive = true
}

variable "most" {
  description = "How many tasks of the web at most"
  type        = number
  default     = 4
}
