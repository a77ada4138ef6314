"""The emulated cloud: the deployed templates, served on this machine without an AWS account."""
