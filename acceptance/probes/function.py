"""Probes of the function behind the API: layers, disconnected clients, and direct invocations."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

from acceptance.probe import Verdict, decide, probe
from stacks.acceptance_settings import MODEL_NAME

if TYPE_CHECKING:
    from acceptance.site import Site

_NULS = b"\0" * 8


@probe("L11", title="The function sees the models in its layer", minutes=0.1)
def layers(site: Site) -> Verdict:
    """`GET /v1/models`, whose answer is from the file in the layer."""
    reply = site.send("GET", "/v1/models")
    listed = [(one["id"], one["owned_by"]) for one in reply.json()["data"]]
    return decide(listed == [(MODEL_NAME, site.model_id)], f"models: {listed}")


@probe("L8", title="A client that disconnects does not stop the function", minutes=3)
def disconnected_client(site: Site) -> Verdict:
    """A client that leaves after the first part; the function's log says how many tokens it has read."""
    body = site.chat(200, temperature=0)
    complete = site.send("POST", "/v1/chat/completions", body).json()["usage"]["completion_tokens"]
    since = time.time() - 1
    connection = site.open()
    response = site.request(connection, "POST", "/v1/chat/completions", body | {"stream": True})
    sent = response.headers["x-amzn-requestid"]
    response.read1(10)
    connection.close()

    def line() -> Any:
        return next((one for one in site.request_lines(since, 1) if one["request_id"] == sent), None)

    found = site.wait(line, 300, "the log line of the request")
    read = found.get("GeneratedTokens")
    return decide(
        read == complete,
        f"the client left after the first of {complete} tokens, the function read {read} in {found.get('Duration')} ms",
    )


@probe(
    "D26", "D41", title="Invoke of a function that streams gives metadata, eight NUL bytes and the body", minutes=0.1
)
def direct_invocation(site: Site) -> Verdict:
    """Lambda's Invoke with an event of API Gateway's form."""
    _, function = site.function("FrontDoorFunction")
    event = {
        "resource": "/v1/models",
        "path": "/v1/models",
        "httpMethod": "GET",
        "headers": {},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "pathParameters": None,
        "body": None,
        "isBase64Encoded": False,
        "requestContext": {"identity": {"apiKeyId": site.outputs()["ApiKeyId"]}, "requestId": "acceptance"},
    }
    answer = site.cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    payload = answer["Payload"].read()
    metadata, nuls, body = payload.partition(_NULS)
    evidence = f"status {answer['StatusCode']}, {len(payload)} bytes, eight NUL bytes: {bool(nuls)}"
    if not nuls:
        return decide(False, f"{evidence}: {payload[:200]!r}")
    prelude = json.loads(metadata)
    return decide(
        prelude["statusCode"] == 200 and json.loads(body)["object"] == "list", f"{evidence}, {prelude['statusCode']}"
    )


@probe("P41", title="The id of a stack ends in a UUID", minutes=0)
def stack_id(site: Site) -> Verdict:
    """DescribeStacks."""
    end = str(site.stack()["StackId"]).rsplit("/", 1)[-1]
    return decide(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", end) is not None, f"…/{end}")
