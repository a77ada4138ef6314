"""The handler for the managed Python runtime, for a front door that is deployed without streaming."""

import os
import time
from typing import Any

from front_door.app import handle
from front_door.lambda_runtime.loop import Invocation


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle one request, without streaming.

    Args:
        event: A REST proxy event of API Gateway.
        context: The managed runtime's context object.

    Returns:
        The response of a proxy integration of API Gateway.

    Raises:
        ConfigError: The function's environment is invalid.
    """
    invocation = Invocation(
        request_id=context.aws_request_id,
        deadline=time.time() + context.get_remaining_time_in_millis() / 1000,
        trace_id=os.environ.get("_X_AMZN_TRACE_ID"),
        function_arn=context.invoked_function_arn,
        is_buffered=True,
    )
    response = handle(event, invocation)
    body = b"".join(response.body)
    if (close := getattr(response.body, "close", None)) is not None:
        close()
    # Replace a container's bytes that are not UTF-8, rather than lose the whole response.
    return {
        "statusCode": response.status,
        "headers": response.headers,
        "body": body.decode(errors="replace"),
        "isBase64Encoded": False,
    }
