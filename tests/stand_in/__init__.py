"""Providers for `terraform validate` and `plan` that have a real provider's schema and nothing behind it."""
