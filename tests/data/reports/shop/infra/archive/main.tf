resource "aws_cloudwatch_log_group" "this" {
  count = 2
  name  = "/shop/archive/${count.index}"
}

resource "aws_s3_bucket" "this" {
  for_each = toset(["a", "b"])
  bucket   = "shop-archive-${each.key}"
}
