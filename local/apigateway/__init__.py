"""An emulation of API Gateway that serves a deployed REST API."""
