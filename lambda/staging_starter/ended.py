"""Signals for a build that ended without success, and may have died before it could."""

from typing import Any

from staging_starter.builds import get_build, variables_of
from staging_starter.signals import send_signal, shorten

_LONGEST_CAUSE = 400
_AGAIN = "Deploy again to go on: finished files are kept"


def report_ended_build(build_id: str) -> dict[str, str]:
    """Tell the wait condition that a build has ended without success, and how.

    The job's own words come first, if it had any: CloudFormation fails with the first signal.

    Args:
        build_id: ARN or id of the build.

    Returns:
        What to log.

    Raises:
        ClientError: CodeBuild does not answer.
        SignalError: CloudFormation does not take the signal.
    """
    build = get_build(build_id)
    variables = {} if build is None else variables_of(build)
    url = variables.get("WAIT_HANDLE_URL")
    if build is None or url is None:
        return {"build": build_id, "outcome": "no deployment waits for this build"}
    reason = failure_words(build)
    send_signal(url, variables["UNIQUE_ID"], status="FAILURE", reason=reason)
    return {"build": build_id, "outcome": reason}


def failure_words(build: dict[str, Any]) -> str:
    """How a build ended, what to do, and where its log is."""
    logs = build.get("logs", {})
    group, stream = logs.get("groupName"), logs.get("streamName")
    place = f" Log: {group}{f', stream {stream}' if stream else ''}." if group else ""
    return f"{_ending(build)} {_AGAIN}.{place} Build: {build['id']}."


def _ending(build: dict[str, Any]) -> str:
    status, cause = build.get("buildStatus"), _cause(build)
    if status == "TIMED_OUT":
        phase = build.get("currentPhase")
        if phase in ("SUBMITTED", "QUEUED"):
            return f"The copy waited {build.get('queuedTimeoutInMinutes')} minutes for CodeBuild to start it."
        return f"The copy did not end within {build.get('timeoutInMinutes')} minutes."
    if status == "STOPPED":
        return "The copy was stopped before it ended."
    words = "CodeBuild failed" if status == "FAULT" else "The copy failed without a word"
    return f"{words}{f' ({cause})' if cause else ''}."


def _cause(build: dict[str, Any]) -> str:
    """What CodeBuild says about the phase that failed."""
    for phase in build.get("phases", []):
        if phase.get("phaseStatus") in (None, "SUCCEEDED"):
            continue
        messages = [context.get("message") for context in phase.get("contexts", []) if context.get("message")]
        if messages:
            return shorten(f"{phase['phaseType']}: {messages[0]}".strip(), _LONGEST_CAUSE)
    return ""
