# The shop's pages: everybody reads them, on purpose.

resource "aws_s3_bucket" "pages" {
  bucket = "shop-pages"
}

resource "aws_s3_bucket_website_configuration" "pages" {
  bucket = aws_s3_bucket.pages.id

  index_document {
    suffix = "index.html"
  }
}

resource "aws_s3_bucket_policy" "pages" {
  bucket = aws_s3_bucket.pages.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "s3:GetObject"
      Principal = "*"
      Resource  = "${aws_s3_bucket.pages.arn}/*"
    }]
  })
}

resource "aws_cloudwatch_metric_alarm" "pages" {
  provider = aws.us_east_1

  alarm_name          = "shop-pages-errors"
  namespace           = "AWS/CloudFront"
  metric_name         = "5xxErrorRate"
  statistic           = "Average"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  period              = 300
  evaluation_periods  = 2
}
