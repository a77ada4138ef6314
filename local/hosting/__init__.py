"""The deployed endpoints as running containers, whose number the deployed scaling policies change."""

from local.hosting.hosting import Hosting, ScalingTimes

__all__ = ["Hosting", "ScalingTimes"]
