"""Signals for a build that ended without success, and may have died before it could."""

from typing import Any

from weights_copier.failure import one_line
from weights_copier.wait_condition import signal

from staging_starter.builds import get_build, variables_of

_LONGEST_CAUSE = 150
_AGAIN = "deploy again to go on"


def report_ended_build(build_id: str) -> dict[str, str]:
    """Tell the wait condition that a build has ended without success, and how.

    The job's own words come first, if it had any: CloudFormation fails with the first signal.

    Args:
        build_id: ARN or id of the build.

    Returns:
        What to log.

    Raises:
        ClientError: CodeBuild does not answer.
        StagingError: CloudFormation does not take the signal.
    """
    build = get_build(build_id)
    variables = {} if build is None else variables_of(build)
    url = variables.get("WAIT_HANDLE_URL")
    if build is None or url is None:
        return {"build": build_id, "outcome": "no deployment waits for this build"}
    reason = failure_words(build)
    signal(url, variables["UNIQUE_ID"], reason=reason, data="", success=False)
    return {"build": build_id, "outcome": reason}


def failure_words(build: dict[str, Any]) -> str:
    """How a build ended, what to do, and where its log is, as the job itself says it."""
    group = build.get("logs", {}).get("groupName")
    place = [*([f"log group {group}"] if group else []), f"build {build['id']}"]
    return f"{one_line(f'{_ending(build)}; {_AGAIN}')} ({', '.join(place)})"


def _ending(build: dict[str, Any]) -> str:
    status, cause = build.get("buildStatus"), _cause(build)
    if status == "TIMED_OUT":
        if not _has_begun(build):
            return f"CodeBuild did not start the copy within {build.get('queuedTimeoutInMinutes')} minutes"
        return f"the copy did not end within {build.get('timeoutInMinutes')} minutes"
    if status == "STOPPED":
        return "the copy was stopped before it ended"
    words = "CodeBuild failed" if status == "FAULT" else "the copy failed without a word"
    return f"{words} ({cause})" if cause else words


def _has_begun(build: dict[str, Any]) -> bool:
    """Whether the build got a machine. Its current phase does not say so: that is COMPLETED once it has ended."""
    begun = {phase["phaseType"] for phase in build.get("phases", [])}
    return bool(begun - {"SUBMITTED", "QUEUED", "COMPLETED"})


def _cause(build: dict[str, Any]) -> str:
    """What CodeBuild says about the phase that failed."""
    for phase in build.get("phases", []):
        if phase.get("phaseStatus") in (None, "SUCCEEDED"):
            continue
        messages = [context["message"] for context in phase.get("contexts", []) if context.get("message")]
        if messages:
            return f"{phase['phaseType']}: {messages[0][:_LONGEST_CAUSE]}"
    return ""
