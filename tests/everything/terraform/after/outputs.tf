output "api_url" {
  description = "Where the shop calls"
  value       = aws_api_gateway_stage.prod.invoke_url
}

output "table_name" {
  value = aws_dynamodb_table.orders.name
}
