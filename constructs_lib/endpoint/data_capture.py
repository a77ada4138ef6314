"""DataCapture: requests and answers of an endpoint, as files in S3."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DataCapture:
    """Which requests and answers SageMaker stores in S3."""
