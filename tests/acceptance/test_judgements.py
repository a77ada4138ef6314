"""Probes that no emulation can run: what they make of what AWS could answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from urllib3.exceptions import ProtocolError

from acceptance.planned import planned_memory
from acceptance.probe import Result
from acceptance.probes.keys import authorizer_cache
from acceptance.probes.metrics import endpoint_metrics
from acceptance.probes.permissions import invocation_role
from acceptance.probes.sagemaker import judge_cache, tokens_of_cache
from acceptance.probes.time_limits import _seconds_of_stream, eight_minutes
from acceptance.run import attempt
from acceptance.site import StillWaitingError
from stacks.acceptance_settings import DEFAULT_INSTANCES, DEFAULT_MODEL

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/acceptance-endpoint"
CONTEXT = {
    "acceptance_engine": "vllm",
    "acceptance_model": DEFAULT_MODEL,
    "acceptance_instance": DEFAULT_INSTANCES["vllm"],
    "acceptance_tokens": "32768",
}


class Site:
    """A site whose cloud is this one."""

    engine, endpoint_name, account, region, patience = "vllm", "acceptance-endpoint", "111122223333", "eu-west-1", 1.0

    def __init__(self) -> None:
        self.cloud: Any = self
        self.context = {"acceptance_tokens": "8192"}
        self.sent, self.started = 300, 0.0
        self.lines: list[str] = []
        self.allowed: set[tuple[str, str]] = set()
        self.alone = "allowed"
        self.arrived: set[str] = set()
        self.dimensions = {"EndpointName": self.endpoint_name, "VariantName": "AllTraffic"}

    def client(self, _name: str) -> Any:
        return self

    def send(self, *_: str) -> None:
        self.sent += 1

    def log_group(self, _part: str) -> str:
        return "group"

    def log_lines(self, _group: str, _since: float) -> list[str]:
        return self.lines

    def wait(self, look: Any, _seconds: float, what: str) -> Any:
        if found := look():
            return found
        raise StillWaitingError(what)

    def resources(self, kind: str) -> dict[str, str]:
        return {f"FrontDoorFunctionRole{kind[-1]}": "the-role"}

    def get_role(self, **_: str) -> Any:
        return {"Role": {"Arn": "arn:role"}}

    def describe_endpoint(self, **_: str) -> Any:
        return {
            "EndpointArn": ARN,
            "EndpointStatus": "InService",
            "ProductionVariants": [{"VariantName": "AllTraffic"}],
        }

    def simulate_principal_policy(self, **given: Any) -> Any:
        (resource,) = given["ResourceArns"]
        return {
            "EvaluationResults": [
                {
                    "EvalActionName": action,
                    "EvalDecision": "allowed" if (action, resource) in self.allowed else "implicitDeny",
                }
                for action in given["ActionNames"]
            ]
        }

    def simulate_custom_policy(self, **_: Any) -> Any:
        return {"EvaluationResults": [{"EvalDecision": self.alone}]}

    def get_metric_statistics(self, **given: Any) -> Any:
        asked = {one["Name"]: one["Value"] for one in given["Dimensions"]}
        found = given["MetricName"] in self.arrived and asked == self.dimensions
        return {"Datapoints": [{"SampleCount": 1.0}] if found else []}


INVOKE = {(f"sagemaker:{name}", ARN) for name in ("InvokeEndpoint", "InvokeEndpointWithResponseStream")}


@pytest.mark.parametrize(
    ("allowed", "alone", "result"),
    [
        (INVOKE, "allowed", Result.PROVEN),
        (INVOKE, "implicitDeny", Result.CONTRADICTED),
        (set(), "allowed", Result.CONTRADICTED),
        (INVOKE | {("s3:GetObject", "*")}, "allowed", Result.CONTRADICTED),
        (INVOKE | {("sagemaker:DeleteEndpoint", ARN)}, "allowed", Result.CONTRADICTED),
        (INVOKE | {("iam:PassRole", "arn:role")}, "allowed", Result.CONTRADICTED),
        (
            INVOKE | {("sagemaker:InvokeEndpoint", ARN.replace("acceptance-", "another-"))},
            "allowed",
            Result.CONTRADICTED,
        ),
    ],
)
def test_a_role_that_may_less_or_more_contradicts(allowed: set[tuple[str, str]], alone: str, result: Result) -> None:
    site = Site()
    site.allowed, site.alone = allowed, alone
    assert invocation_role(site).result is result  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("invocations", "result"),
    [(3, Result.PROVEN), (320, Result.CONTRADICTED), (60, Result.UNDECIDED), (0, Result.UNDECIDED)],
)
def test_invocations_of_the_authorizer_are_counted(
    monkeypatch: pytest.MonkeyPatch, invocations: int, result: Result
) -> None:
    monkeypatch.setattr("acceptance.probes.keys.time.time", lambda: 1800.0)
    site = Site()
    site.lines = [f"START RequestId: {number}" for number in range(invocations)] + ["END RequestId", "REPORT"]
    verdict = authorizer_cache(site)  # type: ignore[arg-type]
    assert verdict.result is result
    assert f"320 requests with one key in 30 minutes, {invocations} invocations" in verdict.evidence


def test_a_metric_that_does_not_come_is_named() -> None:
    site = Site()
    names = {"Invocations", "ModelLatency", "OverheadLatency", "Invocation4XXErrors", "Invocation5XXErrors"}
    site.arrived = names
    verdict = endpoint_metrics(site)  # type: ignore[arg-type]
    assert verdict.result is Result.CONTRADICTED
    assert verdict.evidence == "not in AWS/SageMaker after 900 s: InvocationModelErrors"
    site.arrived = names | {"InvocationModelErrors"}
    assert endpoint_metrics(site).result is Result.PROVEN  # type: ignore[arg-type]
    site.dimensions = {"EndpointName": "that of a former run", "VariantName": "AllTraffic"}
    assert endpoint_metrics(site).result is Result.CONTRADICTED  # type: ignore[arg-type]


def test_the_cache_is_compared_with_the_plan() -> None:
    line = "(EngineCore pid=1) INFO kv_cache_utils.py:1291] GPU KV cache size: 978,912 tokens"
    assert tokens_of_cache(["other", line]) == 978_912
    assert tokens_of_cache(["other"]) is None
    planned = planned_memory(CONTEXT)
    assert judge_cache(planned["max_tokens"], planned).result is Result.PROVEN
    assert judge_cache(planned["low_tokens"] - 1, planned).result is Result.CONTRADICTED
    with pytest.raises(LookupError, match="tgi-endpoint plan: "):
        planned_memory(CONTEXT | {"acceptance_model": "no/such-model"})


class Streams(Site):
    """Streams that end after some seconds, by themselves or by an error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float, error: str | None) -> None:
        super().__init__()
        monkeypatch.setattr("acceptance.probes.time_limits._seconds_of_stream", lambda _site: (seconds, error))


@pytest.mark.parametrize(
    ("seconds", "error", "result"),
    [
        (480.4, "ModelStreamError", Result.PROVEN),
        (200.0, None, Result.UNDECIDED),
        (900.0, None, Result.CONTRADICTED),
        (30.0, "ThrottlingException", Result.UNDECIDED),
    ],
)
def test_a_stream_that_ends_otherwise_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, seconds: float, error: str | None, result: Result
) -> None:
    verdict = eight_minutes(Streams(monkeypatch, seconds, error))  # type: ignore[arg-type]
    assert verdict.result is result
    assert verdict.evidence.startswith("12 streams of up to 7192 tokens, ")


class Answer(Site):
    """A stream of these parts, which an exception ends, if it is one."""

    def __init__(self, *parts: bytes | Exception) -> None:
        super().__init__()
        self.parts = parts

    def chat(self, _tokens: int, **_: Any) -> Any:
        return {}

    def invoke_stream(self, _body: Any) -> Any:
        def body() -> Iterator[Any]:
            for part in self.parts:
                if isinstance(part, Exception):
                    raise part
                yield {"PayloadPart": {"Bytes": part}}

        return {"Body": body()}


@pytest.mark.parametrize(
    ("parts", "ended_by"),
    [
        ([b'{"finish_reason":null}', b'{"finish_rea', b'son":"length"}', b"[DONE]"], None),
        ([b'{"finish_reason":null}'], "nothing, in the middle of the answer"),
        ([b'{"finish_reason":null}', ProtocolError("broken")], "ProtocolError"),
        ([ConnectionResetError()], "ConnectionResetError"),
    ],
)
def test_a_stream_that_is_cut_is_not_taken_for_a_complete_one(
    parts: list[bytes | Exception], ended_by: str | None
) -> None:
    assert _seconds_of_stream(Answer(*parts))[1] == ended_by  # type: ignore[arg-type]


def test_an_error_in_the_place_of_an_answer_contradicts_an_end_to_end_check() -> None:
    from acceptance.probe import choose

    (chosen,) = choose(("openai_chat",), ())

    def fail(_site: Any) -> Any:
        raise ConnectionError("refused")

    verdict = attempt(replace(chosen, attempt=fail), Site()).verdict  # type: ignore[arg-type]
    assert (verdict.result, verdict.evidence) == (Result.CONTRADICTED, "the probe failed: ConnectionError: refused")


def test_a_right_that_the_caller_lacks_decides_nothing() -> None:
    from acceptance.probe import choose

    site = Site()

    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "SimulatePrincipalPolicy")

    site.simulate_principal_policy = refuse  # type: ignore[method-assign]
    (chosen,) = choose(("invocation_role",), ())
    verdict = attempt(chosen, site).verdict  # type: ignore[arg-type]
    assert verdict.result is Result.UNDECIDED
    assert re.search(r"the probe failed: ClientError: .*AccessDenied.*not authorized", verdict.evidence)
