"""A SageMaker endpoint: the construct, its parts, and the import of existing endpoints."""
