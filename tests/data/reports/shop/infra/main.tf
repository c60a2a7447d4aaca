resource "aws_cloudwatch_log_group" "api" {
  name = "/shop/api"
}

resource "aws_cloudwatch_log_group" "worker" {
  name = "/shop/worker"
}

resource "aws_dynamodb_table" "orders" {
  name         = "orders"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_s3_bucket" "receipts" {
  bucket = "shop-receipts"
}

module "archive" {
  source = "./archive"
}
