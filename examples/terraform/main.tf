# The shop: orders in a table, receipts in a bucket, a function behind a topic, and the shop's pages.

provider "aws" {
  region = var.aws_region

  default_tags {
    tags = {
      Project = var.project_name
    }
  }
}

# CloudFront takes its certificates and metrics from here.
provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"
}

data "aws_caller_identity" "current" {}

# ---- orders ----

resource "aws_dynamodb_table" "orders" {
  name         = "shop-orders"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "customer_id"
  range_key    = "ordered_at"

  attribute {
    name = "customer_id"
    type = "S"
  }

  attribute {
    name = "ordered_at"
    type = "S"
  }

  point_in_time_recovery {
    enabled = false # saved money while we were small
  }
}

resource "aws_dynamodb_table" "stock" {
  name           = "shop-stock"
  billing_mode   = "PROVISIONED"
  read_capacity  = 5
  write_capacity = 5
  hash_key       = "sku"

  attribute {
    name = "sku"
    type = "S"
  }

  lifecycle {
    ignore_changes = [read_capacity, write_capacity]
  }
}

resource "aws_appautoscaling_target" "stock_read" {
  max_capacity       = 50
  min_capacity       = 5
  resource_id        = "table/shop-stock"
  scalable_dimension = "dynamodb:table:ReadCapacityUnits"
  service_namespace  = "dynamodb"

  depends_on = [aws_dynamodb_table.stock]
}

resource "aws_appautoscaling_policy" "stock_read" {
  name               = "shop-stock-read"
  policy_type        = "TargetTrackingScaling"
  resource_id        = aws_appautoscaling_target.stock_read.resource_id
  scalable_dimension = aws_appautoscaling_target.stock_read.scalable_dimension
  service_namespace  = aws_appautoscaling_target.stock_read.service_namespace

  target_tracking_scaling_policy_configuration {
    target_value = 70

    predefined_metric_specification {
      predefined_metric_type = "DynamoDBReadCapacityUtilization"
    }
  }
}

# ---- receipts ----

resource "aws_s3_bucket" "receipts" {
  bucket = "${var.project_name}-${var.environment}-receipts"
}

resource "aws_s3_bucket_versioning" "receipts" {
  bucket = aws_s3_bucket.receipts.id

  versioning_configuration {
    status = "Enabled"
  }
}

# ---- the function ----

resource "aws_sqs_queue" "orders" {
  name       = "shop-orders.fifo"
  fifo_queue = true
}

resource "aws_iam_role" "orders" {
  name = "shop-orders-function"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "orders" {
  name = "orders"
  role = aws_iam_role.orders.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["dynamodb:PutItem", "dynamodb:Query"]
        Resource = "arn:aws:dynamodb:${var.aws_region}:${data.aws_caller_identity.current.account_id}:table/shop-orders"
      },
      {
        Effect   = "Allow"
        Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        Resource = aws_sqs_queue.orders.arn
      },
    ]
  })
}

data "archive_file" "orders" {
  type        = "zip"
  source_dir  = "${path.module}/lambda"
  output_path = "${path.module}/build/orders.zip"
}

resource "aws_lambda_function" "orders" {
  function_name    = "shop-orders"
  role             = aws_iam_role.orders.arn
  runtime          = "python3.13"
  handler          = "index.handler"
  filename         = data.archive_file.orders.output_path
  source_code_hash = data.archive_file.orders.output_base64sha256

  environment {
    variables = {
      TABLE_NAME  = "shop-orders"
      BUCKET_NAME = aws_s3_bucket.receipts.bucket
    }
  }
}

resource "aws_cloudwatch_log_group" "orders" {
  name = "/aws/lambda/shop-orders"
}

resource "aws_lambda_event_source_mapping" "orders" {
  event_source_arn = aws_sqs_queue.orders.arn
  function_name    = aws_lambda_function.orders.arn
}
