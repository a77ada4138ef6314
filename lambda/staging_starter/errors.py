"""The error that fails a deployment."""


class StagingError(Exception):
    """Why the deployment has to fail, in words for whoever deploys."""
