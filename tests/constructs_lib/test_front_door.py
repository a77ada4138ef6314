"""What FrontDoor renders."""

import json
import re
from collections import Counter
from functools import cache
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack, Token
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from constructs_lib.endpoint import ImportedEndpoint
from constructs_lib.front_door import FrontDoor
from constructs_lib.front_door_function import newest_python

REGION = "eu-west-1"
ARN = "arn:aws:sagemaker:{}:111122223333:endpoint/{}"


def endpoint(stack: Stack, name: str = "llama-8b", model_id: str | None = "meta-llama/Llama-3.1-8B-Instruct"):
    return ImportedEndpoint(
        stack,
        f"Endpoint-{name}",
        endpoint_arn=ARN.format(REGION if Token.is_unresolved(stack.region) else stack.region, name),
        endpoint_name=name,
        engine="tgi",
        variant_name="AllTraffic",
        model_id=model_id,
        max_body_bytes=6291456,
    )


def door(stack: Stack | None = None, **arguments: Any) -> FrontDoor:
    stack = stack or Stack(App(), "Stack")
    if "models" not in arguments:
        arguments["models"] = {"llama": endpoint(stack)}
    return FrontDoor(stack, "Door", **arguments)


def template(made: FrontDoor) -> dict[str, Any]:
    stack = Stack.of(made)
    assembly = stack.node.root.synth()
    return assembly.get_stack_by_name(stack.stack_name).template


@cache
def default() -> dict[str, Any]:
    """The template of a front door of which nothing is asked; made once, never changed."""
    return template(door())


def of_type(rendered: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {
        logical_id: resource
        for logical_id, resource in rendered["Resources"].items()
        if resource["Type"] == f"AWS::{kind}"
    }


def properties(rendered: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in of_type(rendered, kind).values()]


def only(rendered: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = properties(rendered, kind)
    return found


def function(rendered: dict[str, Any], folder: str = "front_door") -> dict[str, Any]:
    (found,) = (each for each in properties(rendered, "Lambda::Function") if each["Handler"].startswith(folder))
    return found


def flat(value: Any) -> str:
    """A joined or referring value as one line of text."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return separator.join(flat(part) for part in parts)
    raise AssertionError(value)


def paths(rendered: dict[str, Any]) -> dict[str, str]:
    """The path of each resource logical_id, as a reference to it is rendered."""
    resources = of_type(rendered, "ApiGateway::Resource")

    def path(logical_id: str) -> str:
        parent = resources[logical_id]["Properties"]["ParentId"]
        above = path(parent["Ref"]) if "Ref" in parent else ""
        return f"{above}/{resources[logical_id]['Properties']['PathPart']}"

    (api,) = of_type(rendered, "ApiGateway::RestApi")
    return {f"<{logical_id}>": path(logical_id) for logical_id in resources} | {f"<{api}.RootResourceId>": "/"}


def methods(rendered: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    known = paths(rendered)
    return {
        (method["HttpMethod"], known[flat(method["ResourceId"])]): method
        for method in properties(rendered, "ApiGateway::Method")
    }


def statements(rendered: dict[str, Any]) -> list[dict[str, Any]]:
    inline = [policy for role in properties(rendered, "IAM::Role") for policy in role.get("Policies", [])]
    documents = [each["PolicyDocument"] for each in [*inline, *properties(rendered, "IAM::Policy")]]
    return [statement for document in documents for statement in document["Statement"]]


def test_every_served_route_has_its_method_and_every_resource_an_any() -> None:
    served = {
        ("POST", "/"),
        ("POST", "/generate"),
        ("POST", "/generate_stream"),
        ("POST", "/v1/chat/completions"),
        ("GET", "/v1/models"),
        ("GET", "/health"),
    }
    resources = {"/", "/{proxy+}", "/v1", "/v1/chat", *(path for _, path in served)}
    assert set(methods(default())) == served | {("ANY", path) for path in resources}


def test_every_method_streams_from_the_function_for_up_to_15_minutes() -> None:
    for method in methods(default()).values():
        integration = method["Integration"]
        assert integration["Type"] == "AWS_PROXY"
        assert integration["IntegrationHttpMethod"] == "POST"
        assert integration["ResponseTransferMode"] == "STREAM"
        assert integration["TimeoutInMillis"] == 900_000
        assert re.fullmatch(
            r"arn:<AWS::Partition>:apigateway:<AWS::Region>:lambda:path/2021-11-15/functions/<DoorFunction\w+\.Arn>"
            r"/response-streaming-invocations",
            flat(integration["Uri"]),
        )
    assert function(default())["Timeout"] == 900


def test_a_front_door_that_does_not_stream_uses_the_plain_invocation_for_29_seconds() -> None:
    rendered = template(door(streaming=False))
    for method in methods(rendered).values():
        assert method["Integration"]["ResponseTransferMode"] == "BUFFERED"
        assert method["Integration"]["TimeoutInMillis"] == 29_000
        assert flat(method["Integration"]["Uri"]).endswith(".Arn>/invocations")
        assert ":lambda:path/2015-03-31/functions/" in flat(method["Integration"]["Uri"])
    assert function(rendered)["Timeout"] == 29
    assert "AWS_LAMBDA_EXEC_WRAPPER" not in function(rendered)["Environment"]["Variables"]


def test_the_timeout_is_the_functions_and_the_gateways() -> None:
    rendered = template(door(timeout=Duration.minutes(2)))
    assert function(rendered)["Timeout"] == 120
    assert {method["Integration"]["TimeoutInMillis"] for method in methods(rendered).values()} == {120_000}


def test_every_method_needs_an_api_key_that_the_authorizer_reads() -> None:
    (authorizer,) = of_type(default(), "ApiGateway::Authorizer")
    for method in methods(default()).values():
        assert method["ApiKeyRequired"] is True
        assert method["AuthorizationType"] == "CUSTOM"
        assert method["AuthorizerId"] == {"Ref": authorizer}
    assert only(default(), "ApiGateway::RestApi")["ApiKeySourceType"] == "AUTHORIZER"


def test_the_authorizer_takes_bearer_keys_and_turns_everything_else_away_unasked() -> None:
    authorizer = only(default(), "ApiGateway::Authorizer")
    assert authorizer["Type"] == "TOKEN"
    assert authorizer["IdentitySource"] == "method.request.header.Authorization"
    accepted = re.compile(authorizer["IdentityValidationExpression"])
    assert accepted.search("Bearer " + "aB3" * 13 + "x")
    for refused in (
        "",
        "Bearer",
        "Bearer short",
        "Basic " + "a" * 40,
        "Basic Bearer " + "a" * 40,
        "Bearer " + "a" * 40 + " b",
        "Bearer " + "a" * 129,
    ):
        assert not accepted.search(refused), refused


def test_the_authorizer_has_no_secret_and_no_right_but_its_log_and_traces() -> None:
    assert "Environment" not in function(default(), "authorizer")
    (policy,) = (
        policy for logical_id, policy in of_type(default(), "IAM::Policy").items() if "Authorizer" in logical_id
    )
    actions = [
        action for statement in policy["Properties"]["PolicyDocument"]["Statement"] for action in statement["Action"]
    ]
    assert sorted(actions) == [
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    ]


def test_the_key_has_a_rate_a_burst_and_a_quota() -> None:
    plan = only(default(), "ApiGateway::UsagePlan")
    assert plan["Throttle"] == {"RateLimit": 10, "BurstLimit": 20}
    assert plan["Quota"] == {"Limit": 10_000, "Period": "DAY"}
    key, stage = (next(iter(of_type(default(), f"ApiGateway::{kind}"))) for kind in ("ApiKey", "Stage"))
    assert plan["ApiStages"][0]["Stage"] == {"Ref": stage}
    assert only(default(), "ApiGateway::UsagePlanKey")["KeyId"] == {"Ref": key}
    assert "Value" not in only(default(), "ApiGateway::ApiKey")


def test_rate_burst_and_quota_are_the_callers_choice() -> None:
    rendered = template(door(rate_limit=0.5, burst_limit=2, quota_limit=300, quota_period=apigateway.Period.WEEK))
    plan = only(rendered, "ApiGateway::UsagePlan")
    assert plan["Throttle"] == {"RateLimit": 0.5, "BurstLimit": 2}
    assert plan["Quota"] == {"Limit": 300, "Period": "WEEK"}
    (settings,) = only(rendered, "ApiGateway::Stage")["MethodSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (0.5, 2)


def test_no_quota_is_possible() -> None:
    assert "Quota" not in only(template(door(quota_limit=None)), "ApiGateway::UsagePlan")


def test_the_function_is_arm64_on_the_newest_python_and_starts_through_its_wrapper() -> None:
    made = function(default())
    assert made["Architectures"] == ["arm64"]
    assert made["Runtime"] == newest_python().name
    assert made["Handler"] == "front_door.buffered.handler"
    assert made["MemorySize"] == 512
    assert made["TracingConfig"] == {"Mode": "Active"}
    assert made["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == "/var/task/front_door/run"


def test_the_newest_python_is_the_one_with_the_greatest_version_not_the_last_in_the_alphabet() -> None:
    def version(name: str) -> tuple[int, ...]:
        return tuple(int(part) for part in name.removeprefix("python").split("."))

    known = [runtime.name for runtime in lambda_.Runtime.ALL if runtime.family == lambda_.RuntimeFamily.PYTHON]
    assert newest_python().name == max(known, key=version)
    assert newest_python().name != max(known)  # python3.9


def test_the_function_knows_its_models_in_order_and_where_sagemaker_is() -> None:
    stack = Stack(App(), "Stack")
    models = {"zeta": endpoint(stack, "zeta"), "alpha": endpoint(stack, "alpha", model_id=None)}
    variables = function(template(door(stack, models=models)))["Environment"]["Variables"]
    assert list(json.loads(flat(variables["MODELS"])).items()) == [
        (
            "zeta",
            {
                "endpoint_name": "zeta",
                "model_id": "meta-llama/Llama-3.1-8B-Instruct",
                "engine": "tgi",
                "max_body_bytes": 6291456,
            },
        ),
        ("alpha", {"endpoint_name": "alpha", "model_id": None, "engine": "tgi", "max_body_bytes": 6291456}),
    ]
    assert flat(variables["SAGEMAKER_RUNTIME_URL"]) == "https://runtime.sagemaker.<AWS::Region>.<AWS::URLSuffix>"
    assert flat(variables["SAGEMAKER_URL"]) == "https://api.sagemaker.<AWS::Region>.<AWS::URLSuffix>"


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
    (authorizer,) = of_type(default(), "ApiGateway::Authorizer")
    prefix = f"arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<{api}>"
    assert sorted(flat(each["SourceArn"]) for each in permissions) == [
        f"{prefix}/authorizers/<{authorizer}>",
        f"{prefix}/prod/*",
    ]


def test_json_bodies_are_validated_and_other_content_types_are_left_to_the_function() -> None:
    models = {
        logical_id: model["Properties"]["Schema"]
        for logical_id, model in of_type(default(), "ApiGateway::Model").items()
    }
    required = {
        (verb, path): models[method["RequestModels"]["application/json"]["Ref"]]["required"]
        for (verb, path), method in methods(default()).items()
        if "RequestModels" in method
    }
    assert required == {
        ("POST", "/"): ["inputs"],
        ("POST", "/generate"): ["inputs"],
        ("POST", "/generate_stream"): ["inputs"],
        ("POST", "/v1/chat/completions"): ["messages"],
    }
    (validator,) = of_type(default(), "ApiGateway::RequestValidator")
    for key, method in methods(default()).items():
        assert method.get("RequestValidatorId") == ({"Ref": validator} if key in required else None)
        assert set(method.get("RequestModels", {})) <= {"application/json"}
    assert only(default(), "ApiGateway::RequestValidator")["ValidateRequestBody"] is True


def test_the_access_log_is_json_with_what_an_operator_needs_and_nothing_of_the_body() -> None:
    setting = only(default(), "ApiGateway::Stage")["AccessLogSetting"]
    fields = json.loads(setting["Format"])
    assert (
        fields.items()
        >= {
            "requestId": "$context.requestId",
            "apiKeyId": "$context.identity.apiKeyId",
            "httpMethod": "$context.httpMethod",
            "path": "$context.path",
            "status": "$context.status",
            "responseLatency": "$context.responseLatency",
            "integrationLatency": "$context.integration.latency",
            "responseTransferMode": "$context.integration.responseTransferMode",
            "errorMessage": "$context.error.message",
            "integrationError": "$context.integration.error",
        }.items()
    )
    assert "validationErrorString" not in setting["Format"]
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


def test_the_gateway_answers_in_json_that_openai_and_tgi_clients_read() -> None:
    answers = {each["ResponseType"]: each for each in properties(default(), "ApiGateway::GatewayResponse")}
    for kind, answer in answers.items():
        (media_type,) = answer["ResponseTemplates"]
        assert media_type == "application/json"
        own = '"Internal server error"'  # what API Gateway puts for messageString, with its quotation marks
        body = json.loads(answer["ResponseTemplates"][media_type].replace("$context.error.messageString", own))
        assert body["error"]["message"], kind
        assert body["error"]["param"] is None
        assert body["error"]["type"] == body["error"]["code"] == body["error_type"]
    statuses = {kind: answer.get("StatusCode") for kind, answer in answers.items()}
    assert statuses == {
        "UNAUTHORIZED": "401",
        "INVALID_API_KEY": "401",
        "ACCESS_DENIED": "403",
        "MISSING_AUTHENTICATION_TOKEN": "404",
        "BAD_REQUEST_BODY": "400",
        "REQUEST_TOO_LARGE": "413",
        "UNSUPPORTED_MEDIA_TYPE": "415",
        "THROTTLED": "429",
        "QUOTA_EXCEEDED": "429",
        "INTEGRATION_FAILURE": "502",
        "INTEGRATION_TIMEOUT": "504",
        "DEFAULT_4XX": None,
        "DEFAULT_5XX": None,
    }
    assert answers["THROTTLED"]["ResponseParameters"] == {"gatewayresponse.header.Retry-After": "'1'"}


def deployments(rendered: dict[str, Any]) -> set[str]:
    return set(of_type(rendered, "ApiGateway::Deployment"))


def test_a_change_of_the_api_makes_a_new_deployment_and_anything_else_does_not() -> None:
    assert deployments(template(door())) == deployments(default())
    assert deployments(template(door(rate_limit=3, memory_size=1024))) == deployments(default())
    assert deployments(template(door(streaming=False))) != deployments(default())
    assert deployments(template(door(timeout=Duration.minutes(5)))) != deployments(default())


def test_the_deployment_waits_for_every_method_and_answer() -> None:
    (deployment,) = of_type(default(), "ApiGateway::Deployment").values()
    for kind in ("Method", "GatewayResponse", "Model"):
        assert set(of_type(default(), f"ApiGateway::{kind}")) <= set(deployment["DependsOn"])


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
    rendered = template(made)
    offered = {
        "ApiKey": made.api_key.key_id,
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
    names = {"Name", "UsagePlanName", "FunctionName", "LogGroupName"}
    assert not [each for each in properties(default(), kind) if names & set(each)]


def test_the_api_has_a_plain_name() -> None:
    (api,) = of_type(default(), "ApiGateway::RestApi").values()
    assert api["Properties"]["Name"] == "Stack-Door"
