"""Starts the copy of weights for CloudFormation, and tells its wait condition of a copy that died silently."""
