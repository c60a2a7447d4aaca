output "pages_url" {
  description = "Where the shop is"
  value       = aws_s3_bucket_website_configuration.pages.website_endpoint
}

output "table_name" {
  description = "Table of the orders"
  value       = aws_dynamodb_table.orders.name
}
