variable "aws_region" {
  description = "Region of everything"
  type        = string
  default     = "us-east-1"
}

variable "environment_suffix" {
  description = "Suffix of names that tells the deployments of this configuration apart"
  type        = string
  default     = "dev"
}
