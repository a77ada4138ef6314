"""Metrics and saved queries of a front door."""

import inspect
import re
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, NestedStack, Stack, Stage
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk.assertions import Template
from front_door.request_log import NAMESPACE, UNITS
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.errors import ConfigurationError
from constructs_lib.front_door.dimensions import front_door_dimension
from constructs_lib.front_door.front_door import FrontDoor
from constructs_lib.front_door.metrics import FrontDoorMetrics
from tests.constructs_lib.front_door.doubles import (
    default,
    endpoint,
    make_front_door,
    of_type,
    properties,
    template,
)

METRIC_METHODS = [
    name for name, _ in inspect.getmembers(FrontDoorMetrics, inspect.isfunction) if name.startswith("metric_")
]


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


def test_every_metric_that_the_function_writes_has_a_method() -> None:
    front_door = make_front_door()
    names = {rendered(getattr(front_door, name)())["name"] for name in METRIC_METHODS}
    assert names == set(UNITS)
    assert {rendered(getattr(front_door, name)())["namespace"] for name in METRIC_METHODS} == {NAMESPACE}


@pytest.mark.parametrize("name", METRIC_METHODS)
def test_the_docstring_of_a_metric_has_its_statistic_and_unit(name: str) -> None:
    read = rendered(getattr(make_front_door(), name)())
    text = inspect.getdoc(getattr(FrontDoorMetrics, name))
    assert text is not None
    assert f"{read['statistic']} over {read['minutes']} minutes" in text
    unit = {"Count": "a count", "Milliseconds": "milliseconds", "Count/Second": "tokens per second"}
    assert unit[UNITS[read["name"]]] in text


def test_a_metric_is_of_the_front_door_or_of_one_of_its_models() -> None:
    front_door = make_front_door(Stack(App(), "Stack"))
    of_all = rendered(front_door.metric_requests())["dimensions"]
    of_one = rendered(front_door.metric_requests(model="llama"))["dimensions"]
    assert of_all == {"FrontDoor": "Stack/FrontDoor"}
    assert of_one == {"FrontDoor": "Stack/FrontDoor", "Model": "llama"}


@pytest.mark.parametrize(
    ("id", "value"),
    [
        ("Team/Api", "Prod-Stack/Part/Team--Api"),
        ("Für uns", "Prod-Stack/Part/F?r uns-af8ebc84"),
        ("x" * 300, f"Prod-Stack/Part/{'x' * 230}-c88d6b41"),
    ],
)
def test_the_function_is_told_the_dimension_that_its_metrics_have(id: str, value: str) -> None:
    nested = NestedStack(Stack(Stage(App(), "Prod"), "Stack"), "Part")
    front_door = FrontDoor(nested, id, models={"llama": endpoint(nested)}, cloud_watch_role=False)
    assert rendered(front_door.metric_requests())["dimensions"] == {"FrontDoor": value}
    functions = Template.from_stack(nested).find_resources("AWS::Lambda::Function").values()
    told = [each["Properties"].get("Environment", {}).get("Variables", {}).get("FRONT_DOOR") for each in functions]
    assert [each for each in told if each is not None] == [value]


def test_one_app_deployed_twice_has_two_dimensions() -> None:
    named = [Stack(App(), "Stack", stack_name=f"llama-{stage}") for stage in ("dev", "prod")]
    values = [rendered(make_front_door(stack).metric_requests())["dimensions"]["FrontDoor"] for stack in named]
    assert values == ["llama-dev/FrontDoor", "llama-prod/FrontDoor"]


def test_a_path_that_begins_with_a_colon_does_not_as_a_dimension() -> None:
    assert front_door_dimension(":Stack/FrontDoor").startswith("?Stack/FrontDoor-")
    assert front_door_dimension("a:Stack/FrontDoor") == "a:Stack/FrontDoor"


@given(path=st.text(min_size=1, max_size=300))
def test_cloudwatch_accepts_the_dimension_of_every_path(path: str) -> None:
    value = front_door_dimension(path)
    assert value.isascii()
    assert value.isprintable()
    assert len(value) <= 255
    assert not value.startswith(":")


@given(paths=st.lists(st.text(min_size=1, max_size=300), min_size=2, max_size=2, unique=True))
def test_two_paths_have_two_dimensions(paths: list[str]) -> None:
    first, second = paths
    assert front_door_dimension(first) != front_door_dimension(second)


def test_an_unknown_model_is_rejected() -> None:
    stack = Stack(App(), "Stack")
    front_door = make_front_door(stack, models={"llama": endpoint(stack), "falcon": endpoint(stack, "falcon")})
    with pytest.raises(ConfigurationError) as error:
        front_door.metric_duration(model="lama")
    assert "Stack/FrontDoor" in str(error.value)
    assert "model='lama': is not a model of this front door. Use one of llama, falcon." in str(error.value)


def test_the_statistic_and_period_of_a_metric_can_be_set() -> None:
    read = rendered(make_front_door().metric_time_to_first_token(statistic="p99", period=Duration.minutes(1)))
    assert (read["statistic"], read["minutes"]) == ("p99", 1)
    assert rendered(make_front_door().metric("Anything"))["statistic"] == "Average"


def test_a_metric_has_the_account_and_region_of_its_stack_for_dashboards_elsewhere() -> None:
    here = Stack(App(), "Stack", env=Environment(account="111122223333", region="eu-west-1"))
    config = make_front_door(here).metric_requests().to_metric_config().metric_stat
    assert config is not None
    assert (config.account, config.region) == ("111122223333", "eu-west-1")


def test_the_stack_has_four_saved_queries_over_the_functions_log() -> None:
    queries = {each["Name"]: each for each in properties(default(), "Logs::QueryDefinition")}
    assert set(queries) == {
        "Stack/FrontDoor/tokens per consumer per day",
        "Stack/FrontDoor/slowest requests",
        "Stack/FrontDoor/errors by cause",
        "Stack/FrontDoor/variants of each model",
    }
    (log,) = (
        logical_id for logical_id in of_type(default(), "Logs::LogGroup") if "FrontDoorFunctionLogs" in logical_id
    )
    assert all(each["LogGroupNames"] == [{"Ref": log}] for each in queries.values())


def test_the_queries_use_only_fields_that_the_function_writes() -> None:
    written = {
        *UNITS,
        *("Model", "request_id", "consumer", "route", "status", "error", "error_status", "cause", "variant"),
    }
    own = {"requests", "prompt_tokens", "generated_tokens", "day", "newest"}
    own |= {"errors", "first_token_p", "tokens_per_second"}
    words = {"fields", "filter", "stats", "sort", "limit", "display", "by", "as", "asc", "desc", "and"}
    functions = {"datefloor", "ispresent", "timestamp", "d", "sum", "count", "latest", "pct", "avg"}
    for query in properties(default(), "Logs::QueryDefinition"):
        names = set(re.findall(r"[A-Za-z_]+", query["QueryString"]))
        assert names - words - functions - own <= written


def test_two_front_doors_of_a_stack_have_their_own_queries() -> None:
    stack = Stack(App(), "Stack")
    first = make_front_door(stack)
    FrontDoor(stack, "Second", models={"llama": endpoint(stack, "other")}, cloud_watch_role=False)
    assert len({each["Name"] for each in properties(template(first), "Logs::QueryDefinition")}) == 8
