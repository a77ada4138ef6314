"""The OpenAPI description of the front door, generated from its route table (`make openapi`)."""
