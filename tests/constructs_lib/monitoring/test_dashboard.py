from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from constructs_lib import (
    AsyncTgiEndpoint,
    ConfigurationError,
    Dashboard,
    Fallback,
    FleetModel,
    FrontDoor,
    InstanceType,
    Mirror,
    Model,
    ModelFleet,
    ScaleToZero,
    Split,
    TgiEndpoint,
    TgiNeuronEndpoint,
)
from tests.constructs_lib.monitoring.body_rules import DASHBOARD, body_of, violations
from tests.constructs_lib.rendered import Json, properties, resources, template_of, text

if TYPE_CHECKING:
    from constructs import Construct

QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
HERE = Environment(account="123456789012", region="eu-west-1")
DOOR = ["FrontDoor", "Team/Api"]
LLAMA = ["EndpointName", "<Llama4E7FDFEC.EndpointName>", "VariantName", "AllTraffic"]


@pytest.fixture
def stack(app: App) -> Stack:
    return Stack(app, "Team", env=HERE)


def endpoint(scope: Construct, id: str = "Llama", **arguments: Any) -> TgiEndpoint:
    defaults = {"model": QWEN, "instance_type": InstanceType.G5_2XLARGE, "detailed_observability": False}
    return TgiEndpoint(scope, id, **(defaults | arguments))


def door(scope: Construct, models: dict[str, Any], id: str = "Api") -> FrontDoor:
    return FrontDoor(scope, id, models=models, cloud_watch_role=False)


def drawn(stack: Stack, **arguments: Any) -> Json:
    """The body of a dashboard, which CloudWatch would take."""
    Dashboard(stack, "Dashboard", **arguments)
    body = body_of(template_of(stack))
    assert violations(body) == []
    return body


def widgets(body: Json) -> dict[str, Json]:
    """The properties of each widget with a title."""
    return {one["properties"]["title"]: one["properties"] for one in body["widgets"] if "title" in one["properties"]}


def words(body: Json) -> list[str]:
    return [one["properties"]["markdown"] for one in body["widgets"] if one["type"] == "text"]


def lines(body: Json, title: str) -> dict[str, str]:
    """The visible lines of a graph by their label: an expression with its metrics written out, or a metric."""
    found = widgets(body)[title]["metrics"]
    by_id = {line[-1]["id"]: line for line in found if "id" in line[-1]}

    def shown(line: list[Any]) -> str:
        if "expression" not in line[-1]:
            return f"{line[1]}[{line[-1]['stat']}]({', '.join(line[3:-1:2])})"
        expression: str = line[-1]["expression"]
        for name in sorted(by_id, key=len, reverse=True):
            if name in expression and by_id[name] is not line:
                expression = expression.replace(name, shown(by_id[name]))
        return expression

    return {line[-1]["label"]: shown(line) for line in found if line[-1].get("visible", True)}


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """A front door with one endpoint that scales."""
    stack = Stack(App(outdir=str(tmp_path_factory.mktemp("one"))), "Team", env=HERE)
    llama = endpoint(stack, instance_type=InstanceType.G5_12XLARGE, instance_count=1)
    llama.auto_scale(max_instances=3, request_tokens=2000)
    door(stack, {"llama": llama})
    return drawn(stack)


def test_it_answers_five_questions_in_one_look(one: Json) -> None:
    assert words(one)[1:] == [
        "## Is it up?",
        "## How fast is it?",
        "## How full is it?",
        "## Who uses it?",
        "## What does it cost?",
    ]
    assert list(widgets(one)) == [
        "Availability",
        "Errors",
        "Overload",
        "Time to first token",
        "Tokens per second",
        "Time of a request",
        "Requests in progress",
        "GPUs",
        "Hosts",
        "Requests",
        "Tokens",
        "Consumers by tokens",
        "Instances and copies",
        "Instances, USD per hour",
    ]
    assert (one["start"], one["periodOverride"]) == ("-PT3H", "auto")


def test_its_head_has_the_price_and_links_to_the_runbook_and_the_logs(one: Json) -> None:
    assert words(one)[0] == (
        "# Team\n\n"
        "runbook: docs/operations.md"
        " · [log of the front door](#logsV2:log-groups/log-group/<ApiFunctionLogs4B382957>)"
        " · [log of llama's model server]"
        "(#logsV2:log-groups/log-group/$252Faws$252Fsagemaker$252FEndpoints$252F<Llama4E7FDFEC.EndpointName>)\n\n"
        "llama: 7.090 USD at minimum, 21.270 USD at maximum per hour, on demand in us-east-1"
    )


def test_it_shows_the_share_of_requests_without_a_server_error(one: Json) -> None:
    assert lines(one, "Availability") == {
        "requests without server error": "100 * (1 - ServerErrors[Sum](Team/Api) / Requests[Sum](Team/Api))"
    }


def test_it_shows_the_errors_of_the_api_the_function_and_the_model(one: Json) -> None:
    assert lines(one, "Errors") == {
        "5xx of the API": "5XXError[Sum](Team-Api, prod)",
        "4xx of the API": "4XXError[Sum](Team-Api, prod)",
        "server errors, llama": "ServerErrors[Sum](Team/Api, llama)",
        "model errors, llama": "InvocationModelErrors[Sum](<Llama4E7FDFEC.EndpointName>, AllTraffic)",
    }


def test_it_shows_what_was_refused_for_want_of_room(one: Json) -> None:
    assert lines(one, "Overload") == {
        "sent again, llama": "Retries[Sum](Team/Api, llama)",
        "refused by Lambda": "Throttles[Sum](<ApiFunction6BF808ED>)",
    }


def test_it_shows_how_fast_the_first_token_comes_and_the_rest(one: Json) -> None:
    assert lines(one, "Time to first token") == {
        "llama, p50": "TimeToFirstToken[p50](Team/Api, llama)",
        "llama, p95": "TimeToFirstToken[p95](Team/Api, llama)",
    }
    generated = "GeneratedTokens[Sum](Team/Api, llama)"
    assert lines(one, "Tokens per second") == {
        "llama, one answer, p50": "TokensPerSecond[p50](Team/Api, llama)",
        "llama, all answers": f"{generated} / PERIOD({generated})",
    }
    assert lines(one, "Time of a request") == {
        "llama, in SageMaker, p95": "UpstreamTime[p95](Team/Api, llama)",
        "llama, complete answer, p95": "Duration[p95](Team/Api, llama)",
    }


def test_requests_in_progress_are_percent_of_what_the_plan_says_that_an_instance_works_on(one: Json) -> None:
    ((label, shown),) = lines(one, "Requests in progress").items()
    held = int(label.removeprefix("llama, of ").removesuffix(" with 2000 tokens on the busiest instance"))
    assert held > 10
    busiest = "ConcurrentRequestsPerModel[Maximum](<Llama4E7FDFEC.EndpointName>, AllTraffic)"
    assert shown == f"100 * {busiest} / {held}"
    (mark,) = widgets(one)["Requests in progress"]["annotations"]["horizontal"]
    assert (mark["value"], mark["label"]) == (100, "full by the plan: more wait")


def test_without_request_tokens_those_in_progress_are_short_ones_as_in_the_price(stack: Stack) -> None:
    body = drawn(stack, endpoints=[endpoint(stack)])
    assert " with 1024 tokens on the busiest instance" in str(lines(body, "Requests in progress"))


def test_gpus_and_processors_are_percent_of_all_of_an_instance(one: Json) -> None:
    where = "[Average](<Llama4E7FDFEC.EndpointName>, AllTraffic)"
    assert lines(one, "GPUs") == {
        "llama, busy": f"GPUUtilization{where} / 4",
        "llama, memory": f"GPUMemoryUtilization{where} / 4",
    }
    assert lines(one, "Hosts") == {
        "llama, CPU": f"CPUUtilization{where} / 48",
        "llama, memory": f"MemoryUtilization{where}",
        "llama, disk": f"DiskUtilization{where}",
    }


def test_neuron_devices_have_no_metrics_of_gpus(stack: Stack) -> None:
    found = TgiNeuronEndpoint(stack, "Llama", model=QWEN, instance_type=InstanceType.INF2_8XLARGE)
    shown = widgets(drawn(stack, endpoints=[found]))
    assert ("GPUs" in shown, "Hosts" in shown) == (False, True)


def test_requests_and_tokens_are_counted_by_the_minute_whatever_the_period(one: Json) -> None:
    requests = "Requests[Sum](Team/Api, llama)"
    assert lines(one, "Requests") == {"llama": f"60 * {requests} / PERIOD({requests})"}
    prompt, generated = (f"{name}[Sum](Team/Api, llama)" for name in ("PromptTokens", "GeneratedTokens"))
    assert lines(one, "Tokens") == {
        "llama, prompts": f"60 * {prompt} / PERIOD({prompt})",
        "llama, answers": f"60 * {generated} / PERIOD({generated})",
    }


def test_its_table_has_the_consumers_with_the_most_tokens(one: Json) -> None:
    assert widgets(one)["Consumers by tokens"] == {
        "title": "Consumers by tokens",
        "region": "eu-west-1",
        "view": "table",
        "query": "SOURCE '<ApiFunctionLogs4B382957>'\n"
        "| filter Requests = 1\n"
        "| stats sum(Requests) as requests, sum(PromptTokens) as prompt_tokens, sum(GeneratedTokens) as"
        " generated_tokens by consumer, Model\n"
        "| sort generated_tokens desc\n"
        "| limit 20",
    }


def test_the_number_of_instances_is_what_requests_are_divided_by(one: Json) -> None:
    count = " / ".join(
        f"{name}[Sum](<Llama4E7FDFEC.EndpointName>, AllTraffic)" for name in ("Invocations", "InvocationsPerInstance")
    )
    assert lines(one, "Instances and copies") == {"llama, instances while it is asked": count}
    assert lines(one, "Instances, USD per hour") == {"llama": f"FILL(7.09 * {count}, REPEAT)"}
    marks = widgets(one)["Instances, USD per hour"]["annotations"]["horizontal"]
    assert [(mark["value"], mark["label"]) for mark in marks] == [(7.09, "all at minimum"), (21.27, "all at maximum")]


def test_alarms_are_shown_once_monitor_has_been_called_whenever_that_is(stack: Stack) -> None:
    llama = endpoint(stack)
    api = door(stack, {"llama": llama})
    dashboard = Dashboard(stack, "Dashboard", front_doors=[api], endpoints=[])
    api.monitor()
    llama.monitor()
    template = template_of(stack)
    body = body_of(template)
    assert violations(body) == []
    found = {
        f"<{key}.Arn>"
        for kind in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
        for key in resources(template, kind)
    }
    assert len(found) > 10
    assert set(widgets(body)["Alarms"]["alarms"]) == found
    assert stack.resolve(dashboard.dashboard_name) == {"Ref": next(iter(resources(template, DASHBOARD)))}


def test_without_monitor_there_is_no_widget_of_alarms(one: Json) -> None:
    assert not [widget for widget in one["widgets"] if widget["type"] == "alarm"]


def test_a_model_that_goes_to_zero_is_shown_by_its_component(stack: Stack) -> None:
    night = endpoint(stack, scale_to_zero=ScaleToZero())
    door(stack, {"night": night})
    body, component = drawn(stack), str(night.inference_component_name)
    assert lines(body, "Overload")["no copy, night"] == f"NoCapacityInvocationFailures[Sum]({component})"
    assert f"ConcurrentRequestsPerCopy[Maximum]({component})" in str(lines(body, "Requests in progress"))
    assert lines(body, "GPUs")["night, busy of its copies"] == f"GPUUtilizationNormalized[Average]({component})"
    count = f"Invocations[Sum]({component}) / InvocationsPerCopy[Sum]({component})"
    assert lines(body, "Instances and copies") == {"night, copies while it is asked": count}
    # Its instances follow the copies, and nothing says how many there are.
    assert "Instances, USD per hour" not in widgets(body)
    assert "night: 0.000 USD at minimum, 1.515 USD at maximum per hour" in words(body)[0]
    assert f"InferenceComponents$252F{component}" in words(body)[0]


def test_a_fleet_is_shown_by_its_models_and_its_instances_once(stack: Stack) -> None:
    fleet = ModelFleet(
        stack,
        "Fleet",
        models={"chat": FleetModel(model=QWEN, request_tokens=2000), "code": FleetModel(model=QWEN)},
        instance_type=InstanceType.G5_12XLARGE,
        instances=(1, 2),
        detailed_observability=False,
    )
    door(stack, dict(fleet.models))
    body = drawn(stack)
    assert list(lines(body, "Instances and copies")) == [
        "chat, copies while it is asked",
        "code, copies while it is asked",
    ]
    assert [label for label in lines(body, "Hosts") if "disk" in label] == ["Fleet, disk"]
    assert "Fleet: 7.090 USD at minimum, 14.180 USD at maximum per hour, on demand in us-east-1" in words(body)[0]


def test_a_fleet_without_a_front_door_is_shown_as_well(stack: Stack) -> None:
    fleet = ModelFleet(
        stack,
        "Fleet",
        models={"chat": FleetModel(model=QWEN)},
        instance_type=InstanceType.G5_12XLARGE,
        detailed_observability=False,
    )
    body = drawn(stack, endpoints=[fleet])
    component = fleet.models["chat"].inference_component_name
    count = f"Invocations[Sum]({component})"
    assert lines(body, "Requests") == {"chat": f"60 * {count} / PERIOD({count})"}
    assert list(widgets(body)) == [
        "Errors",
        "Overload",
        "Time of a request",
        "Requests in progress",
        "GPUs",
        "Hosts",
        "Requests",
        "Instances and copies",
    ]


def test_variants_are_told_apart_and_each_has_a_price(stack: Stack) -> None:
    llama = endpoint(stack, instance_type=InstanceType.G5_12XLARGE)
    llama.add_variant("Small", weight=0.1, instance_type=InstanceType.G5_2XLARGE)
    door(stack, {"llama": llama})
    body = drawn(stack)
    assert list(lines(body, "Instances, USD per hour")) == ["llama (AllTraffic)", "llama (Small)"]
    small = "Invocations[Sum](<Llama4E7FDFEC.EndpointName>, Small)"
    small += " / InvocationsPerInstance[Sum](<Llama4E7FDFEC.EndpointName>, Small)"
    assert lines(body, "Instances, USD per hour")["llama (Small)"] == f"FILL(1.515 * {small}, REPEAT)"
    assert lines(body, "GPUs")["llama (Small), busy"].endswith("(<Llama4E7FDFEC.EndpointName>, Small)")
    held = [label.split(" of ")[1] for label in lines(body, "Requests in progress")]
    assert len(set(held)) == 2
    assert "llama (Small): 1.515 USD per hour" in words(body)[0]


def test_an_asynchronous_endpoint_is_shown_by_its_queue(stack: Stack) -> None:
    batch = AsyncTgiEndpoint(
        stack,
        "Batch",
        model=QWEN,
        instance_type=InstanceType.G5_2XLARGE,
        bucket=s3.Bucket.from_bucket_name(stack, "Answers", "team-answers"),
        detailed_observability=False,
    )
    body, name = drawn(stack, endpoints=[batch]), text(stack.resolve(batch.endpoint_name))
    assert lines(body, "Queue of asynchronous requests") == {
        "Batch, queued or in progress": f"ApproximateBacklogSize[Maximum]({name})",
        "Batch, age of the oldest": f"ApproximateAgeOfOldestRequest[Maximum]({name})",
    }
    count = f"ApproximateBacklogSize[Average]({name}) / ApproximateBacklogSizePerInstance[Average]({name})"
    assert lines(body, "Instances and copies") == {"Batch, instances while it is asked": count}
    assert "Requests in progress" not in widgets(body)


def test_of_an_imported_endpoint_nothing_is_assumed(stack: Stack) -> None:
    old = TgiEndpoint.from_endpoint_name(stack, "Old", "old-endpoint")
    door(stack, {"old": old})
    body = drawn(stack)
    assert lines(body, "Requests in progress") == {
        "old, on the busiest instance": "ConcurrentRequestsPerModel[Maximum](old-endpoint, AllTraffic)"
    }
    assert "annotations" not in widgets(body)["Requests in progress"]
    assert "old, busy (100 for each)" in lines(body, "GPUs")
    assert "Instances, USD per hour" not in widgets(body)


def test_metrics_of_another_account_and_region_say_so(stack: Stack) -> None:
    arn = "arn:aws:sagemaker:us-east-1:210987654321:endpoint/old"
    body = drawn(stack, endpoints=[TgiEndpoint.from_endpoint_arn(stack, "Old", arn)])
    metrics = [line for graph in widgets(body).values() for line in graph.get("metrics", ()) if len(line) > 1]
    assert metrics
    assert all((line[-1]["accountId"], line[-1]["region"]) == ("210987654321", "us-east-1") for line in metrics)


def test_models_with_the_same_name_are_told_apart_by_their_front_door(stack: Stack) -> None:
    one, other = endpoint(stack, "One"), endpoint(stack, "Other")
    door(stack, {"llama": one}, "Api")
    door(stack, {"llama": other}, "Internal")
    body = drawn(stack)
    assert list(lines(body, "Requests")) == ["Api/llama", "Internal/llama"]
    assert list(lines(body, "Availability")) == [
        "Api, requests without server error",
        "Internal, requests without server error",
    ]
    assert widgets(body)["Consumers by tokens"]["query"].startswith("SOURCE '<ApiFunctionLogs4B382957>' | SOURCE '<")


def test_by_default_it_shows_all_of_its_stack_also_what_comes_later(stack: Stack) -> None:
    Dashboard(stack, "Dashboard")
    endpoint(stack, "Alone")
    door(stack, {"llama": endpoint(stack)})
    Stack(stack.node.root, "Other")
    body = body_of(template_of(stack))
    assert list(lines(body, "Instances and copies")) == [
        "llama, instances while it is asked",
        "Alone, instances while it is asked",
    ]


def test_an_empty_stack_has_a_dashboard_that_says_so(stack: Stack) -> None:
    assert words(drawn(stack)) == [
        "# Team\n\nThere is no front door and no endpoint here.\n\nrunbook: docs/operations.md"
    ]


def test_a_runbook_with_an_address_is_a_link(stack: Stack) -> None:
    endpoint(stack)
    body = drawn(stack, runbook="https://wiki.example.com/llm")
    assert "[runbook](https://wiki.example.com/llm)" in words(body)[0]


def test_a_stack_for_every_region_has_one_for_every_region(app: App) -> None:
    stack = Stack(app, "Team")
    door(stack, {"llama": endpoint(stack)})
    body = drawn(stack)
    regions = {one["properties"]["region"] for one in body["widgets"] if one["type"] in ("metric", "log")}
    assert regions == {"<AWS::Region>"}


def test_it_has_no_name_of_its_own_unless_one_is_given(stack: Stack) -> None:
    endpoint(stack)
    Dashboard(stack, "Dashboard")
    Dashboard(stack, "Other", dashboard_name="llm-prod")
    found = [one["Properties"].get("DashboardName") for one in resources(template_of(stack), DASHBOARD).values()]
    assert found == [None, "llm-prod"]


def test_wrong_arguments_are_reported_together(stack: Stack) -> None:
    arguments: dict[str, Any] = {
        "front_doors": endpoint(stack),
        "endpoints": ["llama"],
        "runbook": 7,
        "dashboard_name": "my dashboard",
    }
    with pytest.raises(ConfigurationError) as raised:
        Dashboard(stack, "Dashboard", **arguments)
    found = [str(problem) for problem in raised.value.problems]
    assert [problem.partition("=")[0] for problem in found] == [
        "front_doors",
        "endpoints[0]",
        "runbook",
        "dashboard_name",
    ]
    assert found[0].endswith("must be a list whose every item is a FrontDoor, not TgiEndpoint. Put it in a list: […].")
    assert found[1] == (
        "endpoints[0]='llama': must be an endpoint or a ModelFleet, not str. Give the construct, or leave the argument"
        " out."
    )
    assert found[3] == (
        "dashboard_name='my dashboard': must have 1 to 255 letters, digits, hyphens and underscores. Leave it out, and"
        " CloudFormation chooses one."
    )


def test_cdk_nag_has_no_finding_about_it(app: App, stack: Stack) -> None:
    endpoint(stack)
    Dashboard(stack, "Dashboard")
    for pack in (AwsSolutionsChecks(app), ServerlessChecks(app)):
        assert [violation.rule_name for violation in pack.validate_scope(app).violations] == []


def test_the_body_is_text_that_cloudformation_fills_in(stack: Stack) -> None:
    endpoint(stack)
    Dashboard(stack, "Dashboard")
    body = properties(template_of(stack), DASHBOARD)["DashboardBody"]
    assert body.keys() == {"Fn::Join"}
    assert '"EndpointName","<Llama4E7FDFEC.EndpointName>"' in text(body)


def test_the_copies_of_a_mirror_are_drawn_beside_the_requests_of_clients(stack: Stack) -> None:
    door(stack, {"llama": Mirror(endpoint(stack), to=endpoint(stack, "Copy"), percent=5)})
    drawn_graphs = widgets(drawn(stack))
    of_model, of_copies = ([*DOOR, name, "llama"] for name in ("Model", "Mirror"))
    for title, name in (
        ("Errors", "ServerErrors"),
        ("Time to first token", "TimeToFirstToken"),
        ("Tokens per second", "TokensPerSecond"),
        ("Time of a request", "Duration"),
    ):
        drawn_metrics = [one[2:6] for one in drawn_graphs[title]["metrics"] if one[1:2] == [name]]
        assert of_model in drawn_metrics, title
        assert of_copies in drawn_metrics, title
    requests = [one[2:6] for one in drawn_graphs["Requests"]["metrics"]]
    assert of_copies not in requests


def test_requests_that_go_to_another_endpoint_are_drawn_where_there_is_one(stack: Stack) -> None:
    one, two = endpoint(stack), endpoint(stack, "Second")
    door(stack, {"plain": one, "spare": Fallback([one, two])})
    labels = [each[-1].get("label") for each in widgets(drawn(stack))["Overload"]["metrics"]]
    assert [label for label in labels if "another" in str(label)] == ["sent to another endpoint, spare"]


def test_each_endpoint_of_a_model_is_shown_by_the_names_of_both(stack: Stack) -> None:
    door(stack, {"llama": Split({endpoint(stack): 9, endpoint(stack, "Second"): 1})})
    labels = str(widgets(drawn(stack))["Errors"]["metrics"])
    assert "model errors, llama at Llama" in labels
    assert "model errors, llama at Second" in labels


def test_alarms_are_by_model_and_by_the_wake_of_an_endpoint_that_clients_wait_for(stack: Stack) -> None:
    zero = endpoint(stack, "Zero", scale_to_zero=ScaleToZero())
    waits, not_awaited = (
        door(stack, {"llama": model}, name)
        for name, model in (
            ("Waits", Fallback([endpoint(stack), zero])),
            ("Other", Mirror(Fallback([zero, endpoint(stack, "Last")]), to=endpoint(stack, "Copy"), percent=1)),
        )
    )
    for one in (waits, not_awaited):
        one.monitor()
    alarms = {
        name: one["Properties"]["EvaluationPeriods"]
        for name, one in resources(template_of(stack), "AWS::CloudWatch::Alarm").items()
        if "MonitoringServerErrors" in name
    }
    (waiting,) = (periods for name, periods in alarms.items() if name.startswith("Waits"))
    (other,) = (periods for name, periods in alarms.items() if name.startswith("Other"))
    assert other == 3
    assert waiting > 3
