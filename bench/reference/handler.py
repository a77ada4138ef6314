"""The obvious function: boto3 and one buffered InvokeEndpoint."""

import json
import os
from typing import Any

import boto3

runtime = boto3.client("sagemaker-runtime")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Respond to a proxy event with the endpoint's response."""
    request = json.loads(event["body"])
    response = runtime.invoke_endpoint(
        EndpointName=os.environ["ENDPOINT_NAME"], ContentType="application/json", Body=json.dumps(request)
    )
    generated = json.loads(response["Body"].read())
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(generated[0])}
