"""The function that everyone writes first: boto3, one buffered InvokeEndpoint."""

import json
import os
from typing import Any

import boto3

runtime = boto3.client("sagemaker-runtime")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer a proxy event with what the endpoint says."""
    request = json.loads(event["body"])
    response = runtime.invoke_endpoint(
        EndpointName=os.environ["ENDPOINT_NAME"], ContentType="application/json", Body=json.dumps(request)
    )
    generated = json.loads(response["Body"].read())
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(generated[0])}
