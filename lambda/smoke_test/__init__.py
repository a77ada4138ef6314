"""The smoke test of a deployment, as the handler of a custom resource of CloudFormation."""
