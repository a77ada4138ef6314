"""An emulation of the SageMaker Runtime: its three ways to invoke an endpoint, with model containers."""

from local.sagemaker_runtime.app import create_app
from local.sagemaker_runtime.endpoints import Copy, Endpoints, Fleet, Variant
from local.sagemaker_runtime.faults import FAULTS, Faults
from local.sagemaker_runtime.listener import Listener

__all__ = ["FAULTS", "Copy", "Endpoints", "Faults", "Fleet", "Listener", "Variant", "create_app"]
