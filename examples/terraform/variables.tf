variable "aws_region" {
  description = "Region of the shop"
  type        = string
  default     = "eu-central-1"
}

variable "project_name" {
  description = "First part of the names"
  type        = string
  default     = "shop"
}

variable "environment" {
  description = "Environment: dev, staging or prod"
  type        = string
  default     = "dev"
}
