"""monitor of a front door: each alarm and objective with all that decides when it is on, and every mistake."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Stack
from aws_cdk import aws_sns as sns

from constructs_lib import ConfigurationError, Fallback, FrontDoor, Mirror, Split, TgiEndpoint
from tests.constructs_lib.front_door.doubles import endpoint, make_front_door, template, warnings
from tests.constructs_lib.rendered import Json, text
from tests.constructs_lib.watched import alarms, watched

WHOLE = {"FrontDoor": "Stack/FrontDoor"}
LLAMA = {**WHOLE, "Model": "llama"}
FUNCTION = {"FunctionName": "<FrontDoorFunction439ACAB5>"}
NAMESPACE = "TgiEndpoint/FrontDoor"
OBJECTIVES = {
    f"{objective}{burn}{window}"
    for objective in ("Availability", "FirstToken")
    for burn in ("Fast", "Slow")
    for window in ("", "Long", "Short")
}
ALARMS = {
    *("ServerErrors", "TimeToFirstTokenllama", "Overloadllama"),
    *("FunctionErrors", "Throttles", "Concurrency", "GatewayErrors"),
}


def monitored(stack: Stack | None = None, *, given: dict[str, Any] | None = None, **arguments: Any) -> dict[str, Json]:
    """The alarms of a front door without a topic, by their ids."""
    front_door = make_front_door(stack, **arguments)
    front_door.monitor(**given or {})
    return alarms(template(front_door), "FrontDoor")


def sleeper(stack: Stack, wake_seconds: int = 700) -> Any:
    """An endpoint whose model goes to zero."""
    return TgiEndpoint.from_endpoint_name(
        stack, "Sleeper", "sleeper", inference_component_name="sleeper-1", wake_seconds=wake_seconds
    )


def rejection(front_door: FrontDoor, **given: Any) -> str:
    with pytest.raises(ConfigurationError) as raised:
        front_door.monitor(**given)
    return str(raised.value)


def test_a_front_door_has_seven_alarms_and_two_objectives() -> None:
    assert set(monitored()) == ALARMS | OBJECTIVES


def with_limits(*, before: bool, **given: Any) -> FrontDoor:
    """A monitored front door with a consumer that has limits: before monitor is called, or after."""
    front_door = make_front_door()
    if before:
        front_door.add_consumer("team-a", tokens_per_day=9000)
    front_door.monitor(**given)
    if not before:
        front_door.add_consumer("team-a", tokens_per_day=9000)
    return front_door


def test_requests_whose_use_cannot_be_counted_are_an_alarm() -> None:
    found = alarms(template(with_limits(before=True)), "FrontDoor")
    assert set(found) == {*ALARMS, *OBJECTIVES, "StoreFailures"}
    assert watched(found["StoreFailures"]) == {
        "when": ">= 3 in 1 of 1",
        "metric": f"{NAMESPACE} StoreFailures Sum",
        "dimensions": WHOLE,
        "period": 300,
    }
    assert "StoreFailures" not in alarms(template(with_limits(before=True, store_failures=None)), "FrontDoor")


def test_limits_that_come_after_the_alarms_are_a_warning() -> None:
    expected = (
        "No alarm says when the use of consumers cannot be counted: monitor was called before the first consumer with"
        " limits was added. Call it afterwards. [ack: tgi-endpoint:limitsUnwatched]"
    )
    assert expected in warnings(with_limits(before=False))
    assert expected not in warnings(with_limits(before=True))


def test_server_errors_are_a_share_and_a_single_failure_is_none() -> None:
    assert watched(monitored()["ServerErrors"]) == {
        "when": "> 5 in 2 of 3",
        "metrics": {"requests": f"{NAMESPACE} Requests Sum", "errors": f"{NAMESPACE} ServerErrors Sum"},
        "dimensions": WHOLE,
        "period": 300,
        "math": {"result": "IF(errors >= 3, 100 * errors / requests, 0)"},
    }


def test_server_errors_are_counted_by_model_where_there_are_several() -> None:
    stack = Stack(App(), "Stack")
    found = monitored(stack, models={"llama": endpoint(stack), "falcon-7b.v1": endpoint(stack, "falcon")})
    assert {alarm for alarm in found if alarm.startswith("ServerErrors")} == {
        "ServerErrors",
        "ServerErrorsllama",
        "ServerErrorsfalcon7bv1",
    }
    assert watched(found["ServerErrors"])["dimensions"] == WHOLE
    assert watched(found["ServerErrorsfalcon7bv1"])["dimensions"] == {**WHOLE, "Model": "falcon-7b.v1"}


def test_refusals_while_a_model_comes_back_from_zero_are_no_server_errors_and_there_is_no_objective() -> None:
    stack = Stack(App(), "Stack")
    found = monitored(stack, models={"llama": endpoint(stack), "sleeper": sleeper(stack)})
    when = {alarm: watched(found[alarm])["when"] for alarm in found if alarm.startswith("ServerErrors")}
    assert when == {
        "ServerErrors": "> 5 in 4 of 4",
        "ServerErrorsllama": "> 5 in 2 of 3",
        "ServerErrorssleeper": "> 5 in 4 of 4",
    }
    assert not any(alarm.startswith("Availability") for alarm in found)
    assert "FirstTokenFast" in found


def test_the_wait_of_clients_that_are_held_counts_as_time_to_first_token() -> None:
    stack = Stack(App(), "Stack")
    found = monitored(stack, models={"sleeper": sleeper(stack)}, on_wake="hold")
    assert watched(found["TimeToFirstTokensleeper"])["when"] == "> 710 in 3 of 3"
    assert watched(found["ServerErrors"])["when"] == "> 5 in 2 of 3"
    assert not any(alarm.startswith("FirstToken") for alarm in found)
    assert "AvailabilityFast" in found


def test_the_time_to_first_token_is_the_95th_percentile_of_a_model_and_in_seconds() -> None:
    assert watched(monitored()["TimeToFirstTokenllama"]) == {
        "when": "> 10 in 3 of 3",
        "metrics": {
            "answers": f"{NAMESPACE} TimeToFirstToken SampleCount",
            "slow": f"{NAMESPACE} TimeToFirstToken p95",
        },
        "dimensions": LLAMA,
        "period": 300,
        "math": {"result": "IF(answers >= 10, slow / 1000, 0)"},
    }


def test_overload_is_the_share_of_retries_of_a_model() -> None:
    assert watched(monitored()["Overloadllama"]) == {
        "when": "> 10 in 3 of 3",
        "metrics": {"requests": f"{NAMESPACE} Requests Sum", "retries": f"{NAMESPACE} Retries Sum"},
        "dimensions": LLAMA,
        "period": 300,
        "math": {"result": "IF(retries >= 3, 100 * retries / requests, 0)"},
    }


@pytest.mark.parametrize(
    ("alarm", "metric", "when"),
    [
        ("FunctionErrors", "Errors Sum", ">= 3 in 1 of 1"),
        ("Throttles", "Throttles Sum", ">= 3 in 1 of 1"),
        ("Concurrency", "ConcurrentExecutions Maximum", ">= 800 in 1 of 1"),
    ],
)
def test_the_function_has_alarms_on_failures_refusals_and_concurrency(alarm: str, metric: str, when: str) -> None:
    assert watched(monitored()[alarm]) == {
        "when": when,
        "metric": f"AWS/Lambda {metric}",
        "dimensions": FUNCTION,
        "period": 300,
    }


def test_gateway_errors_are_those_that_the_function_did_not_answer_with() -> None:
    assert watched(monitored()["GatewayErrors"]) == {
        "when": "> 1 in 2 of 3",
        "metrics": {
            "requests": "AWS/ApiGateway Count Sum",
            "failed": "AWS/ApiGateway 5XXError Sum",
            "logged": f"{NAMESPACE} ServerErrors Sum",
        },
        "dimensions": [{"ApiName": "Stack-FrontDoor", "Stage": "<FrontDoorApiStageF0A48AC6>"}, WHOLE],
        "period": 300,
        "math": {
            "answered": "0 - logged",
            "errors": "SUM([failed, answered])",
            "result": "IF(errors >= 3, 100 * errors / requests, 0)",
        },
    }


def test_gateway_errors_are_found_by_the_name_that_the_api_has() -> None:
    front_door = make_front_door()
    front_door.monitor()
    rendered = template(front_door)
    dimensions = watched(alarms(rendered, "FrontDoor")["GatewayErrors"])["dimensions"][0]
    (api,) = (one for one in rendered["Resources"].values() if one["Type"] == "AWS::ApiGateway::RestApi")
    assert dimensions["ApiName"] == api["Properties"]["Name"]
    stage = rendered["Resources"][dimensions["Stage"].strip("<>")]
    assert stage["Type"] == "AWS::ApiGateway::Stage"


def test_the_name_of_the_api_is_written_as_its_metrics_have_it() -> None:
    stack = Stack(App(), "Stack")
    front_door = FrontDoor(stack, "Für uns", models={"llama": endpoint(stack)})
    front_door.monitor()
    (gateway,) = (one for name, one in alarms(template(front_door), "Fruns").items() if name == "GatewayErrors")
    assert watched(gateway)["dimensions"][0]["ApiName"] == "Stack-Fr uns"


@pytest.mark.parametrize(
    ("part", "period", "threshold"),
    [("FastLong", 3600, "7.2"), ("FastShort", 300, "7.2"), ("SlowLong", 21_600, "3"), ("SlowShort", 1800, "3")],
)
def test_availability_burns_its_budget_of_half_a_percent(part: str, period: int, threshold: str) -> None:
    alarm = monitored()[f"Availability{part}"]
    assert "AlarmActions" not in alarm
    assert watched(alarm) == {
        "when": f"> {threshold} in 1 of 1",
        "metrics": {"requests": f"{NAMESPACE} Requests Sum", "errors": f"{NAMESPACE} ServerErrors Sum"},
        "dimensions": WHOLE,
        "period": period,
        "math": {"result": "IF(errors >= 3, 100 * errors / requests, 0)"},
    }


@pytest.mark.parametrize(
    ("part", "period", "threshold"),
    [("FastLong", 3600, "72"), ("FastShort", 300, "72"), ("SlowLong", 21_600, "30"), ("SlowShort", 1800, "30")],
)
def test_the_first_token_burns_its_budget_of_five_percent(part: str, period: int, threshold: str) -> None:
    assert watched(monitored()[f"FirstToken{part}"]) == {
        "when": f"> {threshold} in 1 of 1",
        "metrics": {
            "requests": f"{NAMESPACE} TimeToFirstToken SampleCount",
            "good": f"{NAMESPACE} TimeToFirstToken PR(0:10000)",
        },
        "dimensions": WHOLE,
        "period": period,
        "math": {"result": "IF(requests * (100 - good) / 100 >= 3, 100 - good, 0)"},
    }


@pytest.mark.parametrize("objective", ["AvailabilityFast", "AvailabilitySlow", "FirstTokenFast", "FirstTokenSlow"])
def test_an_objective_notifies_while_both_of_its_windows_burn(objective: str) -> None:
    stack = Stack(App(), "Stack")
    front_door = make_front_door(stack)
    front_door.monitor(topic=sns.Topic(stack, "Alarms"))
    rendered = template(front_door)
    alarm = alarms(rendered, "FrontDoor")[objective]
    ids = [key for key in rendered["Resources"] if key.startswith(f"FrontDoorMonitoring{objective}")]
    long, short = (next(key for key in ids if window in key) for window in ("Long", "Short"))
    assert text(alarm["AlarmRule"]) == f'ALARM("<{long}.Arn>") AND ALARM("<{short}.Arn>")'
    (topic,) = (key for key, one in rendered["Resources"].items() if one["Type"] == "AWS::SNS::Topic")
    assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]


def test_a_topic_of_a_front_door_takes_messages_of_alarms_only() -> None:
    stack = Stack(App(), "Stack")
    front_door = make_front_door(stack)
    front_door.monitor(topic=sns.Topic(stack, "Alarms"))
    (policy,) = (one for one in template(front_door)["Resources"].values() if one["Type"] == "AWS::SNS::TopicPolicy")
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}


def test_a_description_says_what_it_means_what_to_do_and_where_to_read_more() -> None:
    found = monitored(given={"runbook": "https://wiki.example.com/llm"})
    assert found["AvailabilityFast"]["AlarmDescription"] == (
        "The objective is that 99.5 % of the requests are answered without a server error. For one hour, and still in"
        " the last 5 minutes, more than 7.2 % had one. That uses up 2 % of the error budget of 30 days, and at this"
        ' rate all of it in 2 days. The saved query "errors by cause" names the causes.'
        " https://wiki.example.com/llm#server-errors"
    )
    assert found["Overloadllama"]["AlarmDescription"] == (
        "SageMaker throttles the model llama, or its container answers 429: for 15 minutes there were more than 10"
        " retries in 100 requests. Add instances or copies, or let them scale. https://wiki.example.com/llm#429-and-overload"
    )


def test_each_threshold_can_be_another_one() -> None:
    found = monitored(
        given={
            "server_errors": 1,
            "time_to_first_token": Duration.millis(1500),
            "overload": 25,
            "function_errors": 1,
            "throttles": 20,
            "concurrency": 4000,
            "gateway_errors": 2.5,
            "availability_objective": 99.9,
            "first_token_objective": (99, Duration.millis(800)),
        }
    )
    when = {alarm: watched(found[alarm])["when"] for alarm in found if "AlarmRule" not in found[alarm]}
    assert {alarm: when[alarm] for alarm in (*ALARMS, "AvailabilityFastLong", "FirstTokenSlowShort")} == {
        "ServerErrors": "> 1 in 2 of 3",
        "TimeToFirstTokenllama": "> 1.5 in 3 of 3",
        "Overloadllama": "> 25 in 3 of 3",
        "FunctionErrors": ">= 1 in 1 of 1",
        "Throttles": ">= 20 in 1 of 1",
        "Concurrency": ">= 4000 in 1 of 1",
        "GatewayErrors": "> 2.5 in 2 of 3",
        "AvailabilityFastLong": "> 1.44 in 1 of 1",
        "FirstTokenSlowShort": "> 6 in 1 of 1",
    }
    assert watched(found["FirstTokenFastLong"])["metrics"]["good"] == f"{NAMESPACE} TimeToFirstToken PR(0:800)"


@pytest.mark.parametrize(
    ("keyword", "begins"),
    [
        ("server_errors", "ServerErrors"),
        ("time_to_first_token", "TimeToFirstToken"),
        ("overload", "Overload"),
        ("function_errors", "FunctionErrors"),
        ("throttles", "Throttles"),
        ("concurrency", "Concurrency"),
        ("gateway_errors", "GatewayErrors"),
        ("availability_objective", "Availability"),
        ("first_token_objective", "FirstToken"),
    ],
)
def test_each_alarm_and_objective_can_be_left_out(keyword: str, begins: str) -> None:
    left = {alarm for alarm in ALARMS | OBJECTIVES if not alarm.startswith(begins)}
    assert len(left) < len(ALARMS | OBJECTIVES)
    assert set(monitored(given={keyword: None})) == left


def test_refusals_that_another_endpoint_makes_up_for_are_watched_where_there_is_one() -> None:
    stack = Stack(App(), "Stack")
    one, two, three = (endpoint(stack, name) for name in ("one", "two", "three"))
    models = {
        "plain": one,
        "split": Split({one: 1, two: 1}),
        "ordered": Fallback([one, two]),
        "mirrored": Mirror(Split({Fallback([one, two]): 1}), to=three, percent=1),
    }
    found = monitored(stack, models=models)
    assert [name for name in found if name.startswith("Fallbacks")] == ["Fallbacksordered", "Fallbacksmirrored"]
    alarm = watched(found["Fallbacksordered"])
    assert alarm["when"] == "> 10 in 3 of 3"
    assert alarm["metrics"]["refusals"] == f"{NAMESPACE} Fallbacks Sum"


def test_every_mistake_is_reported_at_once() -> None:
    front_door = make_front_door()
    assert rejection(
        front_door,
        topic=3,
        server_errors="5",
        time_to_first_token=10,
        concurrency=0,
        availability_objective=90,
        first_token_objective=(99, 3),
        latency=4,
    ) == (
        "Stack/FrontDoor: 7 problems to solve before this can be deployed"
        "\n  - topic=3: must be a topic of aws_sns, not int."
        ' Give aws_sns.Topic.from_topic_arn(self, "Topic", "<its ARN>"), or a new one.'
        "\n  - server_errors='5': must be a number, not str. Give a float, or leave it out."
        "\n  - concurrency=0: must be from 1 to 4294967295 executions. Raise it to 1 or more."
        "\n  - availability_objective=90: must be above 93.06 and below 100, in percent."
        " Choose a number in that range, or leave it out."
        "\n  - latency=4: is none of the alarms here: server_errors, time_to_first_token, overload, fallbacks,"
        " function_errors, throttles, concurrency, gateway_errors, store_failures, availability_objective,"
        " first_token_objective. Leave it out."
        "\n  - time_to_first_token=10: must be a Duration of aws_cdk, which has a unit. Write Duration.seconds(10)."
        "\n  - first_token_objective[1]=3: must be a Duration of aws_cdk, which has a unit. Write Duration.seconds(3)."
    )


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (95, "must be a tuple of percent and a Duration, not int. Write (95, Duration.seconds(10)), or leave it out."),
        ((95,), "must be a tuple of percent and a Duration, not tuple."),
        ((95, None), "must be a tuple of percent and a Duration, not tuple."),
        ((100, Duration.seconds(3)), "must be a pair whose first number is above 93.06 and below 100, in percent."),
        ((95, Duration.seconds(0)), "first_token_objective[1]=0: must be above 0 seconds."),
    ],
)
def test_an_objective_that_is_none_is_rejected(objective: object, message: str) -> None:
    assert message in rejection(make_front_door(), first_token_objective=objective)


def test_a_duration_that_only_the_deployment_knows_is_rejected() -> None:
    stack = Stack(App(), "Stack")
    number = CfnParameter(stack, "Most", type="Number").value_as_number
    found = rejection(make_front_door(stack), time_to_first_token=Duration.seconds(number))
    assert "time_to_first_token=(known at deployment): must be known at synth" in found


def test_a_second_call_is_an_error() -> None:
    front_door = make_front_door()
    front_door.monitor()
    assert "monitor=(FrontDoor Stack/FrontDoor): has been called already; the alarms are there." in rejection(
        front_door
    )
