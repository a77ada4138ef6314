"""What the wait condition is told of a build that ended without success."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lambda_.staging_starter.conftest import BUILD, SIGNATURE, Deployment

PLACE = f"(log group Team-ProjectLogs, build {BUILD})"
QUEUED = [
    {"phaseType": "SUBMITTED", "phaseStatus": "SUCCEEDED"},
    {"phaseType": "QUEUED", "phaseStatus": "TIMED_OUT"},
    {"phaseType": "COMPLETED"},
]
RUN = [
    *QUEUED[:1],
    {"phaseType": "QUEUED", "phaseStatus": "SUCCEEDED"},
    {"phaseType": "BUILD", "phaseStatus": "TIMED_OUT"},
]
FAILED_PHASES = [
    {"phaseType": "SUBMITTED", "phaseStatus": "SUCCEEDED"},
    {
        "phaseType": "DOWNLOAD_SOURCE",
        "phaseStatus": "FAILED",
        "contexts": [{"statusCode": "", "message": ""}, {"statusCode": "CLIENT_ERROR", "message": "AccessDenied: no"}],
    },
    {"phaseType": "COMPLETED"},
]


@pytest.mark.parametrize(
    ("status", "members", "words"),
    [
        ("TIMED_OUT", {"phases": RUN}, "the copy did not end within 30 minutes"),
        ("TIMED_OUT", {"phases": QUEUED}, "CodeBuild did not start the copy within 20 minutes"),
        ("STOPPED", {}, "the copy was stopped before it ended"),
        ("FAULT", {}, "CodeBuild failed"),
        ("FAILED", {}, "the copy failed without a word"),
        (
            "FAILED",
            {"phases": FAILED_PHASES},
            "the copy failed without a word (DOWNLOAD_SOURCE: AccessDenied: no)",
        ),
    ],
)
def test_the_condition_is_told_how_it_ended(
    deployment: Deployment, status: str, members: dict[str, Any], words: str
) -> None:
    deployment.end(status, **members)
    assert deployment.signals == [
        {
            "Status": "FAILURE",
            # That of the job's own signal: if it has sent one, this one counts for nothing.
            "UniqueId": "0123456789",
            "Reason": f"{words}; deploy again to go on {PLACE}",
            "Data": "",
        }
    ]


def test_where_the_log_is_comes_whole_after_the_longest_words(deployment: Deployment) -> None:
    phases = [{"phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [{"message": "x" * 5000}]}]
    deployment.end("FAILED", phases=phases)
    (signal,) = deployment.signals
    assert signal["Reason"].endswith(f"; deploy again to go on {PLACE}")
    assert len(signal["Reason"]) < 1400


def test_a_build_that_was_started_by_hand_is_waited_for_by_nobody(deployment: Deployment) -> None:
    deployment.end("FAILED", variables={"WAIT_HANDLE_URL": None})
    assert deployment.puts == []
    (line,) = deployment.log()
    assert line["outcome"] == "no deployment waits for this build"


def test_the_log_has_the_words_but_not_the_signed_url(deployment: Deployment) -> None:
    deployment.end("STOPPED")
    text = deployment.capsys.readouterr().out
    assert "the copy was stopped before it ended" in text
    assert SIGNATURE not in text
