"""An emulation of the SageMaker Runtime: InvokeEndpoint and InvokeEndpointWithResponseStream over model containers."""

from local.sagemaker_runtime.app import create_app
from local.sagemaker_runtime.faults import FAULTS, Faults

__all__ = ["FAULTS", "Faults", "create_app"]
