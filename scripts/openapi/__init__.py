"""The OpenAPI description of the front door, made from its route table (`make openapi`)."""
