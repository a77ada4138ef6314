"""State changes of an endpoint that somebody should know of. There is no metric for them, but an event.

SageMaker guide, "Events that Amazon SageMaker AI sends to Amazon EventBridge". Its examples write states as IN_SERVICE
and UPDATING, while SageMaker's API has InService and Updating (botocore 1.44.5, sagemaker, EndpointStatus); the pattern
takes both.
"""

from __future__ import annotations

import re
from typing import Any

STATES = ("Failed", "OutOfService", "RollingBack", "UpdateRollbackFailed")
"""As SageMaker's API writes them."""

SECTION = "the-endpoint-failed-or-was-rolled-back"


def event_pattern(endpoint_name: str) -> dict[str, Any]:
    """The pattern of an EventBridge rule.

    Args:
        endpoint_name: Name of the endpoint; may be known at deployment only.
    """
    return {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Endpoint State Change", "SageMaker Endpoint Deployment State Change"],
        "detail": {
            "EndpointName": [endpoint_name],
            "EndpointStatus": [*STATES, *(_with_underscores(state) for state in STATES)],
        },
    }


def message_template(runbook: str) -> tuple[dict[str, str], str]:
    """What the topic gets instead of the event: the paths of the values, and the text as JSON.

    Args:
        runbook: Where the runbook is, without an anchor.
    """
    paths = {"endpoint": "$.detail.EndpointName", "state": "$.detail.EndpointStatus", "time": "$.time"}
    return paths, f'"<time>: the SageMaker endpoint <endpoint> is in the state <state>. {runbook}#{SECTION}"'


def _with_underscores(state: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", state).upper()
