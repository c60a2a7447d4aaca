"""What the rule on deprecated Terraform is made of."""
