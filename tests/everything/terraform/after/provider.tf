provider "aws" {
  region = var.aws_region

  default_tags {
    tags = {
      Environment = var.environment_suffix
    }
  }
}

provider "aws" {
  alias  = "replica"
  region = "eu-west-1"

  default_tags {
    tags = {
      Environment = var.environment_suffix
    }
  }
}
