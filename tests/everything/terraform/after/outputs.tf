output "distribution" {
  description = "Where the shop calls"
  value       = { id = aws_cloudfront_distribution.orders.id }
}

output "table_name" {
  description = "Name of the orders DynamoDB table"
  value       = aws_dynamodb_table.orders.name
}

output "prod_invoke_url" {
  description = "Invoke URL of the prod API Gateway stage"
  value       = aws_api_gateway_stage.prod.invoke_url

  precondition {
    condition     = can(regex("^https://", aws_api_gateway_stage.prod.invoke_url))
    error_message = "The invoke URL of the prod API Gateway stage is not a URL."
  }
}

output "health_invoke_url" {
  description = "Invoke URL of the health API Gateway stage"
  value       = aws_apigatewayv2_stage.health.invoke_url

  precondition {
    condition     = can(regex("^(https|wss)://", aws_apigatewayv2_stage.health.invoke_url))
    error_message = "The invoke URL of the health API Gateway stage is not a URL."
  }
}
