"""The command line `tgi-endpoint`: needs rich (the extra `cli`), but not the AWS CDK."""
