"""Deploys the acceptance stacks, tries what docs/aws-contract.md assumes of AWS, reports, and deletes everything."""
