"""What FrontDoor renders."""

import json
import re
from collections import Counter

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_lambda as lambda_

from constructs_lib.front_door.front_door import FrontDoor
from constructs_lib.front_door.lambda_functions import newest_python
from constructs_lib.planning.serving_limits import ServingFacts
from tests.constructs_lib.front_door.doubles import (
    ARN,
    REGION,
    body,
    default,
    door,
    endpoint,
    flat,
    function,
    of_type,
    only,
    operations,
    properties,
    statements,
    template,
    variables,
)


def test_the_function_is_arm64_on_the_newest_python_and_starts_through_its_wrapper() -> None:
    made = function(default())
    assert made["Architectures"] == ["arm64"]
    assert made["Runtime"] == newest_python().name
    assert made["Handler"] == "front_door.lambda_runtime.managed.handler"
    assert made["MemorySize"] == 512
    assert made["TracingConfig"] == {"Mode": "Active"}
    assert made["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == "/var/task/front_door/bootstrap"


def test_the_newest_python_is_the_one_with_the_greatest_version_not_the_last_in_the_alphabet() -> None:
    def version(name: str) -> tuple[int, ...]:
        return tuple(int(part) for part in name.removeprefix("python").split("."))

    known = [runtime.name for runtime in lambda_.Runtime.ALL if runtime.family == lambda_.RuntimeFamily.PYTHON]
    assert newest_python().name == max(known, key=version)
    assert newest_python().name != max(known)  # python3.9


def test_the_timeout_is_the_functions_and_the_gateways() -> None:
    rendered = template(door(timeout=Duration.minutes(2)))
    assert function(rendered)["Timeout"] == 120
    timeouts = {each["x-amazon-apigateway-integration"]["timeoutInMillis"] for each in operations(rendered).values()}
    assert timeouts == {120_000}


def test_a_front_door_that_does_not_stream_has_29_seconds_and_no_wrapper() -> None:
    rendered = template(door(streaming=False))
    assert function(rendered)["Timeout"] == 29
    assert "AWS_LAMBDA_EXEC_WRAPPER" not in variables(rendered)
    for operation in operations(rendered).values():
        integration = operation["x-amazon-apigateway-integration"]
        assert integration["responseTransferMode"] == "BUFFERED"
        assert integration["timeoutInMillis"] == 29_000
        assert re.fullmatch(r".*:lambda:path/2015-03-31/functions/<\w+\.Arn>/invocations", flat(integration["uri"]))


def test_every_operation_streams_from_the_function_for_up_to_15_minutes() -> None:
    assert function(default())["Timeout"] == 900
    for operation in operations(default()).values():
        integration = operation["x-amazon-apigateway-integration"]
        assert {key: value for key, value in integration.items() if key != "uri"} == {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "responseTransferMode": "STREAM",
            "timeoutInMillis": 900_000,
        }
        assert re.fullmatch(
            r"arn:<AWS::Partition>:apigateway:<AWS::Region>:lambda:path/2021-11-15/functions/<DoorFunction\w+\.Arn>"
            r"/response-streaming-invocations",
            flat(integration["uri"]),
        )


def test_the_function_knows_its_models_in_order_and_where_sagemaker_is() -> None:
    stack = Stack(App(), "Stack")
    models = {"zeta": endpoint(stack, "zeta"), "alpha": endpoint(stack, "alpha", model_id=None)}
    told = variables(template(door(stack, models=models)))
    assert list(json.loads(told["MODELS"]).items()) == [
        (
            "zeta",
            {
                "endpoint_name": "zeta",
                "engine": "tgi",
                "model_id": "meta-llama/Llama-3.1-8B-Instruct",
                "max_body_bytes": 6291456,
            },
        ),
        ("alpha", {"endpoint_name": "alpha", "engine": "tgi", "model_id": None, "max_body_bytes": 6291456}),
    ]
    assert told["SAGEMAKER_RUNTIME_URL"] == "https://runtime.sagemaker.<AWS::Region>.<AWS::URLSuffix>"
    assert told["SAGEMAKER_URL"] == "https://api.sagemaker.<AWS::Region>.<AWS::URLSuffix>"


def test_the_function_is_told_what_the_plan_knows_of_a_model_and_nothing_that_it_does_not() -> None:
    stack = Stack(App(), "Stack")
    facts = ServingFacts(version="3.3.6", max_input_tokens=1000, max_total_tokens=2000, max_best_of=2)
    told = variables(template(door(stack, models={"llama": endpoint(stack, serving=facts)})))
    assert json.loads(told["MODELS"])["llama"] == {
        "endpoint_name": "llama-8b",
        "engine": "tgi",
        "model_id": "meta-llama/Llama-3.1-8B-Instruct",
        "max_body_bytes": 6291456,
        "version": "3.3.6",
        "max_input_tokens": 1000,
        "max_total_tokens": 2000,
        "max_best_of": 2,
    }


def test_a_request_that_does_not_say_how_many_tokens_it_wants_gets_1024_or_what_the_door_says() -> None:
    assert variables(default())["DEFAULT_MAX_TOKENS"] == "1024"
    assert variables(template(door(default_max_tokens=256)))["DEFAULT_MAX_TOKENS"] == "256"


def test_the_stage_limits_all_requests_together_whoever_sends_them() -> None:
    (settings,) = only(default(), "ApiGateway::Stage")["MethodSettings"]
    assert (settings["HttpMethod"], settings["ResourcePath"]) == ("*", "/*")
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (100, 200)
    (chosen,) = only(template(door(rate_limit=0.5, burst_limit=2)), "ApiGateway::Stage")["MethodSettings"]
    assert (chosen["ThrottlingRateLimit"], chosen["ThrottlingBurstLimit"]) == (0.5, 2)


def test_the_function_may_invoke_and_describe_its_endpoints_and_no_other() -> None:
    stack = Stack(App(), "Stack")
    rendered = template(door(stack, models={name: endpoint(stack, name) for name in ("one", "two")}))
    allowed: dict[str, set[str]] = {}
    for statement in statements(rendered):
        actions, resources = (
            [each] if isinstance(each, str) else each for each in (statement["Action"], statement["Resource"])
        )
        for action in actions:
            if action.startswith("sagemaker:"):
                allowed.setdefault(action, set()).update(flat(resource) for resource in resources)
    both = {ARN.format(REGION, "one"), ARN.format(REGION, "two")}
    assert allowed == {
        "sagemaker:InvokeEndpoint": both,
        "sagemaker:InvokeEndpointWithResponseStream": both,
        "sagemaker:DescribeEndpoint": both,
    }


def test_no_role_has_a_managed_policy() -> None:
    assert not [role for role in properties(default(), "IAM::Role") if "ManagedPolicyArns" in role]


def test_one_permission_lets_the_stage_call_the_function_and_one_the_authorizer() -> None:
    permissions = properties(default(), "Lambda::Permission")
    assert {each["Principal"] for each in permissions} == {"apigateway.amazonaws.com"}
    (api,) = of_type(default(), "ApiGateway::RestApi")
    prefix = f"arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<{api}>"
    assert sorted(flat(each["SourceArn"]) for each in permissions) == [
        f"{prefix}/authorizers/*",
        f"{prefix}/prod/*",
    ]


def test_the_access_log_is_json_with_what_an_operator_needs_and_nothing_of_the_body() -> None:
    setting = only(default(), "ApiGateway::Stage")["AccessLogSetting"]
    fields = json.loads(setting["Format"])
    assert (
        fields.items()
        >= {
            "requestId": "$context.requestId",
            "apiKeyId": "$context.identity.apiKeyId",
            "httpMethod": "$context.httpMethod",
            "resourcePath": "$context.resourcePath",
            "status": "$context.status",
            "responseLatency": "$context.responseLatency",
            "integrationLatency": "$context.integration.latency",
            "responseTransferMode": "$context.integration.responseTransferMode",
            "errorMessage": "$context.error.message",
            "integrationError": "$context.integration.error",
        }.items()
    )
    assert "validationErrorString" not in setting["Format"]
    assert "$context.path" not in setting["Format"]
    assert 'identity.apiKey"' not in setting["Format"]
    (log,) = (logical_id for logical_id in of_type(default(), "Logs::LogGroup") if "AccessLogs" in logical_id)
    assert flat(setting["DestinationArn"]).endswith(f":log-group:<{log}>")


def test_execution_logs_which_could_quote_a_prompt_are_off() -> None:
    (settings,) = only(default(), "ApiGateway::Stage")["MethodSettings"]
    assert settings["LoggingLevel"] == "OFF"
    assert settings["DataTraceEnabled"] is False


def test_logs_expire_and_only_the_access_log_outlives_the_stack() -> None:
    groups = of_type(default(), "Logs::LogGroup")
    assert {group["Properties"]["RetentionInDays"] for group in groups.values()} == {90}
    policies = Counter(("AccessLogs" in logical_id, group["DeletionPolicy"]) for logical_id, group in groups.items())
    assert policies == {(True, "Retain"): 1, (False, "Delete"): 2}


def test_the_accounts_log_role_stays_and_the_stage_waits_for_it() -> None:
    (account,) = of_type(default(), "ApiGateway::Account").items()
    role = account[1]["Properties"]["CloudWatchRoleArn"]["Fn::GetAtt"][0]
    assert account[1]["DeletionPolicy"] == "Retain"
    assert default()["Resources"][role]["DeletionPolicy"] == "Retain"
    (stage,) = of_type(default(), "ApiGateway::Stage").values()
    assert account[0] in stage["DependsOn"]


def test_an_account_that_has_a_log_role_keeps_it() -> None:
    rendered = template(door(cloud_watch_role=False))
    assert not of_type(rendered, "ApiGateway::Account")
    assert len(of_type(rendered, "IAM::Role")) == 2  # of the two functions


def test_the_api_is_regional_and_traced() -> None:
    assert only(default(), "ApiGateway::RestApi")["EndpointConfiguration"]["Types"] == ["REGIONAL"]
    assert only(default(), "ApiGateway::Stage")["TracingEnabled"] is True


def test_the_url_follows_region_and_partition() -> None:
    stack = Stack(App(), "Stack")
    made = door(stack)
    (api,) = of_type(template(made), "ApiGateway::RestApi")
    assert flat(stack.resolve(made.url)) == f"https://<{api}>.execute-api.<AWS::Region>.<AWS::URLSuffix>/prod"
    china = Stack(App(), "Stack", env=Environment(account="111122223333", region="cn-north-1"))
    assert ".execute-api.cn-north-1.<AWS::URLSuffix>/prod" in flat(china.resolve(door(china).url))


def test_nothing_names_a_partition_or_region_when_both_are_open() -> None:
    text = json.dumps(
        {
            logical_id: each
            for logical_id, each in default()["Resources"].items()
            if not logical_id.startswith("DoorFunctionRole")
        }
    )
    assert not re.search(r"arn:aws|amazonaws\.com(?!\")|(us|eu)-(west|east)-1", text)


def test_what_the_front_door_offers_refers_to_what_it_made() -> None:
    stack = Stack(App(), "Stack")
    made = door(stack)
    consumer = made.add_consumer("team-a")
    rendered = template(made)
    offered = {
        "ApiKey": consumer.api_key.key_id,
        "UsagePlan": consumer.usage_plan.usage_plan_id,
        "RestApi": made.api.rest_api_id,
        "Stage": made.stage.stage_name,
    }
    for kind, value in offered.items():
        (logical_id,) = of_type(rendered, f"ApiGateway::{kind}")
        assert stack.resolve(value) == {"Ref": logical_id}
    assert isinstance(made.function, lambda_.Function)


def test_two_front_doors_fit_into_one_stack() -> None:
    stack = Stack(App(), "Stack")
    models = {"llama": endpoint(stack)}
    FrontDoor(stack, "One", models=models)
    rendered = template(FrontDoor(stack, "Two", models=models, cloud_watch_role=False))
    assert len(of_type(rendered, "ApiGateway::RestApi")) == 2


@pytest.mark.parametrize("kind", ["ApiGateway::ApiKey", "ApiGateway::UsagePlan", "Lambda::Function", "Logs::LogGroup"])
def test_nothing_that_is_replaced_by_a_rename_has_a_name(kind: str) -> None:
    made = door()
    made.add_consumer("team-a")
    found = properties(template(made), kind)
    assert found
    assert not [each for each in found if {"Name", "UsagePlanName", "FunctionName", "LogGroupName"} & set(each)]


def test_the_api_has_a_plain_name() -> None:
    assert only(default(), "ApiGateway::RestApi")["Name"] == body(default())["info"]["title"] == "Stack-Door"
