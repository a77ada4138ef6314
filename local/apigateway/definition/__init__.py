"""The API as it was deployed: the template and its OpenAPI document, read as API Gateway imports them."""
