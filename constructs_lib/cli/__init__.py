"""The command line of the library. It needs neither the AWS CDK nor anything else that is not in Python."""
