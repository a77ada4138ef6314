"""The handler of both events: requests of the custom resource, and the end of a build.

CloudFormation invokes it when the custom resource is created, updated and deleted, and waits for a PUT to the event's
ResponseURL; whatever happens, that is sent. EventBridge invokes it when a build has ended without success. URLs are
signed and so secret: no event is logged.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

import traceback
from typing import Any

from weights_copier.failure import StagingError
from weights_copier.wait_condition import send

from staging_starter.log import log


def handler(event: dict[str, Any], context: Any) -> None:
    """Handle one event.

    Args:
        event: A request of the custom resource, or an event `CodeBuild Build State Change`.
        context: Lambda's context.

    Raises:
        StagingError: CloudFormation did not take the answer. Lambda invokes an asynchronous function twice more.
        ClientError: CodeBuild did not say how the build ended; likewise.
    """
    del context
    if event.get("source") == "aws.codebuild":
        # Imported here, as the AWS SDK takes most of the start, and an answer must be sent if even that fails.
        from staging_starter.ended import report_ended_build

        log("INFO", **report_ended_build(event["detail"]["build-id"]))
        return
    # The id of a resource whose creation has failed: it has nothing that could be stopped or deleted.
    nothing = f"staged-weights-{event.get('LogicalResourceId')}"
    old_id = new_id = str(event.get("PhysicalResourceId") or nothing)
    reason: str | None = None
    data: dict[str, str] = {}
    try:
        from staging_starter.resource import handle, physical_id_of

        if event["RequestType"] != "Delete" or old_id != nothing:
            new_id = physical_id_of(event)
            data = handle(event)
    except StagingError as error:
        reason = error.words
    except Exception as defect:  # noqa: BLE001 - CloudFormation would wait until the resource's timeout
        reason = _report_defect(defect)
    log("ERROR" if reason else "INFO", request=str(event.get("RequestType"))[:40], outcome=reason or "done", **data)
    answer = {
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": reason or "",
        "PhysicalResourceId": old_id if reason else new_id,
        **{name: event.get(name) for name in ("StackId", "RequestId", "LogicalResourceId")},
        "Data": data,
    }
    send(str(event.get("ResponseURL")), answer)


def _report_defect(defect: Exception) -> str:
    """The reason for an unexpected exception: its type and place, without its message, which may quote the event."""
    frames = traceback.extract_tb(defect.__traceback__)
    place = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    log("ERROR", cause=type(defect).__name__, traceback=place)
    return (
        f"The starter of the copy itself failed: {type(defect).__name__} at {place[-1]}. Its function's log has the"
        " traceback."
    )
