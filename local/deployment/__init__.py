"""The control plane, the CDK CLI and what they deployed."""
