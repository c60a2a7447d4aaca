output "distribution" {
  description = "Where the shop calls"
  value       = { id = aws_cloudfront_distribution.orders.id }
}

output "table_name" {
  value = aws_dynamodb_table.orders.name
}
