variable "region" {
  type    = string
  default = "us-east-1"
}

variable "name" {
  description = "Name of the cluster, and the beginning of other names"
  type        = string
  default     = "example"
}

variable "tasks" {
  description = "How many tasks the service web runs"
  type        = number
  default     = 2
}

variable "greeting" {
  description = "What the page says"
  type        = string
  default     = "Hello"
}

variable "retention_in_days" {
  description = "How long logs are kept"
  type        = number
  default     = 7
}

variable "stage" {
  description = "Value of the tag Stage"
  type        = string
  default     = "dev"
}

variable "cpu_architecture" {
  description = "X86_64, or ARM64 where the machine is one"
  type        = string
  default     = "X86_64"
}
