"""The routes that tell about the door itself."""

from front_door.call import JSON, Call
from front_door.errors import Failure, compact
from front_door.response import Response

# The states in which an endpoint answers invocations (botocore's sagemaker model, DescribeEndpointOutput).
_SERVING = {"InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"}


def models(call: Call) -> Response:
    """`GET /v1/models`: the names that `model` takes, each with the hub id that it stands for."""
    data = [
        {"id": model.name, "object": "model", "created": 0, "owned_by": model.model_id or model.name}
        for model in call.config.models.values()
    ]
    return Response(200, dict(JSON), [compact({"object": "list", "data": data})])


def health(call: Call) -> Response:
    """`GET /health`: 200 while every endpoint behind this door serves, TGI's 503 otherwise.

    TGI's 200 has no body; a streamed answer of API Gateway must have one.
    """
    for model in call.config.models.values():
        try:
            status = call.sagemaker.endpoint_status(model.endpoint_name, call.deadline)
        except Failure as failure:
            raise Failure("healthcheck", "unhealthy", cause=f"DescribeEndpoint: {failure.cause}") from failure
        if status not in _SERVING:
            raise Failure("healthcheck", "unhealthy", cause=f"{model.endpoint_name} is {status}")
    return Response(200, dict(JSON), [b"{}"])
