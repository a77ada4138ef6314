"""The emulated control plane, the CDK CLI, and the deployment that they create."""
