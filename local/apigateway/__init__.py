"""An emulation of API Gateway's REST APIs that serves what a template has deployed."""
