"""Reads a REST API from the deployed template and its OpenAPI document, with API Gateway's import rules."""
