"""What CloudWatch is asked about a front door: metrics and saved queries."""

import inspect
import re
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from front_door.request_log import NAMESPACE, UNITS

from constructs_lib.errors import ConfigurationError
from constructs_lib.front_door.metrics import DoorMetrics
from tests.constructs_lib.front_door.doubles import default, door, endpoint, of_type, properties, template

ONE_LINERS = [name for name, _ in inspect.getmembers(DoorMetrics, inspect.isfunction) if name.startswith("metric_")]


def rendered(metric: cloudwatch.Metric) -> dict[str, Any]:
    config = metric.to_metric_config().metric_stat
    assert config is not None
    return {
        "namespace": config.namespace,
        "name": config.metric_name,
        "statistic": config.statistic,
        "minutes": config.period.to_minutes(),
        "dimensions": {each.name: each.value for each in config.dimensions or []},
    }


def test_every_metric_that_the_function_writes_has_its_one_liner() -> None:
    made = door()
    names = {rendered(getattr(made, name)())["name"] for name in ONE_LINERS}
    assert names == set(UNITS)
    assert {rendered(getattr(made, name)())["namespace"] for name in ONE_LINERS} == {NAMESPACE}


@pytest.mark.parametrize("name", ONE_LINERS)
def test_a_one_liner_says_its_statistic_and_its_unit(name: str) -> None:
    made = rendered(getattr(door(), name)())
    text = inspect.getdoc(getattr(DoorMetrics, name))
    assert text is not None
    assert f"{made['statistic']} over {made['minutes']} minutes" in text
    unit = {"Count": "a count", "Milliseconds": "milliseconds", "Count/Second": "tokens per second"}
    assert unit[UNITS[made["name"]]] in text


def test_a_metric_is_of_the_door_or_of_one_of_its_models() -> None:
    stack = Stack(App(), "Stack")
    made = door(stack)
    function = stack.resolve(made.function.function_name)
    of_all = rendered(made.metric_requests())["dimensions"]
    of_one = rendered(made.metric_requests(model="llama"))["dimensions"]
    assert {name: stack.resolve(value) for name, value in of_all.items()} == {"Door": function}
    assert {name: stack.resolve(value) for name, value in of_one.items()} == {"Door": function, "Model": "llama"}


def test_a_model_that_the_door_does_not_have_is_refused() -> None:
    stack = Stack(App(), "Stack")
    made = door(stack, models={"llama": endpoint(stack), "falcon": endpoint(stack, "falcon")})
    with pytest.raises(ConfigurationError) as error:
        made.metric_duration(model="lama")
    assert "Stack/Door" in str(error.value)
    assert "model='lama': is no model of this front door. Give one of llama, falcon." in str(error.value)


def test_how_a_metric_is_read_is_the_callers_choice() -> None:
    made = rendered(door().metric_time_to_first_token(statistic="p99", period=Duration.minutes(1)))
    assert (made["statistic"], made["minutes"]) == ("p99", 1)
    assert rendered(door().metric("Anything"))["statistic"] == "Average"


def test_a_metric_of_a_known_place_says_so_for_dashboards_elsewhere() -> None:
    here = Stack(App(), "Stack", env=Environment(account="111122223333", region="eu-west-1"))
    config = door(here).metric_requests().to_metric_config().metric_stat
    assert config is not None
    assert (config.account, config.region) == ("111122223333", "eu-west-1")


def test_the_stack_has_the_three_questions_to_the_functions_log() -> None:
    queries = {each["Name"]: each for each in properties(default(), "Logs::QueryDefinition")}
    assert set(queries) == {
        "Stack/Door/tokens per consumer per day",
        "Stack/Door/slowest requests",
        "Stack/Door/errors by cause",
    }
    (log,) = (logical_id for logical_id in of_type(default(), "Logs::LogGroup") if "DoorFunctionLogs" in logical_id)
    assert all(each["LogGroupNames"] == [{"Ref": log}] for each in queries.values())


def test_the_questions_ask_for_fields_that_the_function_writes() -> None:
    written = {
        *UNITS,
        *("Model", "request_id", "consumer", "route", "status", "error", "error_status", "cause"),
    }
    own = {"requests", "prompt_tokens", "generated_tokens", "day", "newest"}
    words = {"fields", "filter", "stats", "sort", "limit", "display", "by", "as", "desc", "sum", "count", "latest"}
    functions = {"datefloor", "ispresent", "timestamp", "d"}
    for query in properties(default(), "Logs::QueryDefinition"):
        names = set(re.findall(r"[A-Za-z_]+", query["QueryString"]))
        assert names - words - functions - own <= written


def test_two_doors_of_a_stack_have_their_own_questions() -> None:
    stack = Stack(App(), "Stack")
    first = door(stack)
    from constructs_lib.front_door.front_door import FrontDoor

    FrontDoor(stack, "Second", models={"llama": endpoint(stack, "other")}, cloud_watch_role=False)
    assert len({each["Name"] for each in properties(template(first), "Logs::QueryDefinition")}) == 6
