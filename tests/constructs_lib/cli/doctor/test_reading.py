"""What doctor does if it may not read something, if AWS is slow, or if what it is asked about is not there."""

import json
import re
import threading
import time
from pathlib import Path

import pytest
from botocore.exceptions import ReadTimeoutError, SSLError

from constructs_lib.cli.doctor import reader as reading
from constructs_lib.cli.doctor.reader import Reader
from tests.constructs_lib.cli.doctor.account import FUNCTION_LOG, REGION, STACK, client
from tests.constructs_lib.cli.doctor.conftest import refusal
from tests.constructs_lib.planning.diagnosis.test_causes import EXAMPLES

GUIDE = Path(__file__).resolve().parents[4] / "docs" / "how-to" / "doctor.md"


def policy() -> list[dict]:
    (text,) = re.findall(r"```json\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    return json.loads(text)["Statement"]


def allowed() -> set[str]:
    listed = (statement["Action"] for statement in policy())
    return {action for one in listed for action in ([one] if isinstance(one, str) else one)}


@pytest.fixture
def actions(monkeypatch):
    """The IAM actions of every reader."""
    made = []
    real = Reader.__post_init__
    monkeypatch.setattr(Reader, "__post_init__", lambda self: (real(self), made.append(self.actions))[0])
    return made


def test_the_policy_of_the_guide_allows_exactly_what_is_called(run, account, answers, actions):
    answers["ListInferenceComponents"] = lambda _: {"InferenceComponents": [{"InferenceComponentName": "one"}]}
    answers["DescribeInferenceComponent"] = lambda _: {"Specification": {"ModelName": "llama-model"}}
    answers["DescribeScalableTargets"] = lambda _: {"ScalableTargets": [{"MaxCapacity": 2}]}
    account.serve_access_log()
    client("sagemaker").describe_endpoint(EndpointName=account.name)
    url = "s3://weights/llama/"
    lines = [EXAMPLES[name][1] for name in ("quota", "weights-access", "hub-token")]
    from moto.sagemaker.models import sagemaker_backends

    (model,) = sagemaker_backends["123456789012"][REGION]._models.values()
    model.primary_container["ModelDataSource"] = {"S3DataSource": {"S3Uri": url}}
    client("s3").create_bucket(Bucket="weights")
    account.fail(" ".join(lines))
    account.log(FUNCTION_LOG, "x")
    run("doctor", STACK)
    run("doctor", account.name)
    assert set().union(*actions) == allowed()


def test_the_policy_names_no_resource_more_than_its_actions_have(account):
    for statement in policy():
        if statement["Resource"] == "*":
            assert statement["Sid"] in ("WhatHasNoResource", "Quotas")
        assert not [action for action in [statement["Action"]] if "*" in str(action)]


@pytest.mark.parametrize(
    ("operation", "note"),
    [
        ("FilterLogEvents", "the container's log: needs logs:FilterLogEvents"),
        ("GetMetricData", "the metrics: needs cloudwatch:GetMetricData"),
        ("DescribeStackEvents", "the stack's events: needs cloudformation:DescribeStackEvents"),
        ("DescribeModel", "the endpoint's Model: needs sagemaker:DescribeModel"),
        ("DescribeEndpointConfig", "the endpoint's configuration: needs sagemaker:DescribeEndpointConfig"),
        ("ListInferenceComponents", "the endpoint's inference components: needs sagemaker:ListInferenceComponents"),
        ("GetFunctionConfiguration", "the front door's function: needs lambda:GetFunctionConfiguration"),
        ("GetStages", "the API's stages: needs apigateway:GET"),
    ],
)
def test_what_may_not_be_read_is_named_and_the_rest_goes_on(run, account, answers, operation, note):
    answers[operation] = lambda _: refusal("AccessDeniedException")
    account.fail(EXAMPLES["disk"][1])
    outcome = run("doctor", STACK)
    assert f"note: could not read {note}" in outcome.out
    assert (outcome.status, outcome.out.count("1. The disk of the instance is full")) == (1, 1)


def test_without_the_right_to_read_the_endpoint_it_says_what_it_needs(run, account, answers):
    for operation in ("DescribeStacks", "DescribeEndpoint"):
        answers[operation] = lambda _: refusal("AccessDenied")
    outcome = run("doctor", STACK)
    assert (outcome.status, outcome.out) == (1, "")
    errors = [line for line in outcome.err.splitlines() if line.startswith("error:")]
    assert errors == [
        "error: could not read the stack Chat: needs cloudformation:DescribeStacks.",
        "error: could not read the endpoint Chat: needs sagemaker:DescribeEndpoint.",
    ]


def test_expired_credentials_are_status_3(run, account, answers):
    answers["FilterLogEvents"] = lambda _: refusal("ExpiredTokenException", message="The security token is expired")
    outcome = run("doctor", STACK)
    assert outcome.status == 3
    assert "error: the credentials have expired (ExpiredTokenException). Log in: " in outcome.err


@pytest.mark.parametrize("operation", ["GetMetricData", "DescribeStackEvents", "DescribeScalableTargets"])
def test_a_service_that_is_down_does_not_stop_the_rest(run, account, answers, operation):
    answers[operation] = lambda _: refusal("InternalFailure", message="try again")
    account.fail(EXAMPLES["disk"][1])
    outcome = run("doctor", STACK)
    assert re.search(r"note: could not read .*: AWS answers InternalFailure: try again", outcome.out)
    assert "1. The disk of the instance is full" in outcome.out


def test_what_is_not_there_is_an_error_with_the_region(run, account):
    outcome = run("doctor", "nobody")
    assert (outcome.status, outcome.out) == (1, "")
    assert "error: there is no stack or endpoint 'nobody' in us-east-1. Check the Region and the account" in outcome.err
    assert "no stack 'nobody' in us-east-1" in run("doctor", "--stack", "nobody").err
    assert "no endpoint 'nobody' in us-east-1" in run("doctor", "--endpoint", "nobody").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name: is missing. Name a stack or an endpoint."),
        (("a", "--endpoint", "b"), "name and --endpoint name what to examine twice. Give one of them."),
        (("ünï",), "name 'ünï': is not the name of a stack or an endpoint"),
        (("",), "name '': is not the name"),
        (("a", "--since", "1w"), "--since '1w': is no age. Write a number and m, h or d, such as 30m; at most 14d."),
        (("a", "--since", "15d"), "--since '15d': is no age."),
        (("a", "--since", "0m"), "--since '0m': is no age."),
        (("a", "--jsn"), "--jsn: is not known. Did you mean --json or --since?"),
    ],
)
def test_wrong_arguments_are_status_2(run, arguments, message):
    outcome = run("doctor", *arguments)
    assert outcome.status == 2
    assert message in outcome.err


def test_it_ends_in_time_whatever_aws_does(run, account, answers, monkeypatch):
    monkeypatch.setattr(reading, "SECONDS", 1)
    answers["FilterLogEvents"] = lambda _: time.sleep(5) or {}
    begun = time.monotonic()
    outcome = run("doctor", account.name)
    assert time.monotonic() - begun < 4.5
    assert "1 s were over" in outcome.out


def test_long_logs_are_read_from_their_end(run, account):
    account.log(account.container_log, *(f"line {number}" for number in range(9000)), EXAMPLES["disk"][1])
    assert run("doctor", STACK).status == 1


@pytest.mark.parametrize(
    "error", [ReadTimeoutError(endpoint_url="https://x"), SSLError(endpoint_url="https://x", error="y")]
)
def test_a_network_that_fails_in_the_middle_does_not_stop_the_rest(run, account, answers, error):
    answers["FilterLogEvents"] = lambda _: error
    account.fail(EXAMPLES["disk"][1])
    outcome = run("doctor", STACK)
    assert "note: could not read the container's log: AWS cannot be reached to read it: " in outcome.out
    assert "1. The disk of the instance is full" in outcome.out


def test_a_call_in_flight_does_not_keep_the_process(run, account, answers, monkeypatch):
    begun = threading.Event()
    release = threading.Event()
    answers["FilterLogEvents"] = lambda _: (begun.set(), release.wait(20), {})[2]
    monkeypatch.setattr(reading, "SECONDS", 1)
    try:
        run("doctor", account.name)
        assert begun.is_set()
        assert {thread.daemon for thread in threading.enumerate() if thread.name == "doctor"} == {True}
    finally:
        release.set()
