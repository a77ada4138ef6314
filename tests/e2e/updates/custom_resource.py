"""The function of a custom resource: answers, or fails at the kind of request that its property names."""

import json
import urllib.request


def handler(event, _context):
    properties = event["ResourceProperties"]
    print("asked " + json.dumps([event["RequestType"], properties["Tokens"]]), flush=True)  # noqa: T201 - the function's log
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"PhysicalResourceId": "probe", "Status": "SUCCESS", "Data": {"Seen": properties["Tokens"]}}
    if properties["Fails"] == event["RequestType"]:
        answer |= {"Status": "FAILED", "Reason": "no tokens came back"}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request, timeout=10)
