"""AsyncTgiEndpoint: requests and answers in S3, notifications, instances that follow the backlog down to none."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from botocore.session import get_session
from botocore.validate import validate_parameters

from constructs_lib import (
    AsyncTgiEndpoint,
    ConfigurationError,
    FrontDoor,
    InstanceType,
    Model,
    Rollout,
    TgiEndpoint,
    TgiImage,
    TgiOptions,
)
from constructs_lib.planning.scaling.async_inference import LONGEST_URI, MAX_INVOCATIONS, TOPICS
from tests.constructs_lib.rendered import (
    CONFIG,
    ENDPOINT,
    MODEL,
    Json,
    as_list,
    only,
    properties,
    resources,
    statement_with,
    statements,
    template_of,
    text,
    variant,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct

TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
ALARM = "AWS::CloudWatch::Alarm"
QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012"


def bucket(scope: Construct, id: str = "Bucket", **options: Any) -> s3.IBucket:
    return s3.Bucket.from_bucket_attributes(scope, id, bucket_name=f"team-{id.lower()}", **options)


def endpoint(stack: Stack, **arguments: Any) -> AsyncTgiEndpoint:
    defaults = {"model": QWEN, "instance_type": InstanceType.G5_2XLARGE, "request_tokens": 2000}
    given = defaults | {"detailed_observability": False} | arguments
    given.setdefault("bucket", stack.node.try_find_child("Bucket") or bucket(stack))
    return AsyncTgiEndpoint(stack, "Batch", **given)


def rendered(stack: Stack, **arguments: Any) -> Json:
    endpoint(stack, **arguments)
    return template_of(stack)


def config(template: Json) -> Json:
    found: Json = properties(template, CONFIG)["AsyncInferenceConfig"]
    return found


def policy(template: Json, name: str) -> Json:
    (found,) = (each["Properties"] for each in resources(template, POLICY).values() if name in str(each))
    return found


def caller(stack: Stack) -> iam.Role:
    return iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))


def rejection(call: Callable[[], object]) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        call()
    return [str(problem) for problem in raised.value.problems]


def warnings(stack: Stack) -> set[str]:
    return {
        entry.data.split(" [ack: ")[1].rstrip("]")
        for entry in stack.node.find_child("Batch").node.metadata
        if entry.type == "aws:cdk:warning"
    }


def test_answers_and_failures_go_to_folders_of_the_bucket(stack: Stack) -> None:
    output = config(rendered(stack))["OutputConfig"]
    assert output == {
        "S3OutputPath": "s3://team-bucket/async/output",
        "S3FailurePath": "s3://team-bucket/async/failures",
    }


def test_everything_about_requests_and_answers_can_be_set(stack: Stack) -> None:
    topics = [
        sns.Topic.from_topic_arn(stack, name, f"arn:aws:sns:eu-west-1:123456789012:{name}") for name in ("a", "b")
    ]
    template = rendered(
        stack,
        output_prefix="answers/",
        failure_prefix="failed",
        output_key=kms.Key.from_key_arn(stack, "Key", KEY_ARN),
        success_topic=topics[0],
        error_topic=topics[1],
        include_response_in=["error", "success"],
        max_concurrent_invocations=7,
    )
    assert config(template) == {
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 7},
        "OutputConfig": {
            "S3OutputPath": "s3://team-bucket/answers",
            "S3FailurePath": "s3://team-bucket/failed",
            "KmsKeyId": KEY_ARN,
            "NotificationConfig": {
                "SuccessTopic": "arn:aws:sns:eu-west-1:123456789012:a",
                "ErrorTopic": "arn:aws:sns:eu-west-1:123456789012:b",
                "IncludeInferenceResponseIn": ["ERROR_NOTIFICATION_TOPIC", "SUCCESS_NOTIFICATION_TOPIC"],
            },
        },
    }


def test_one_topic_can_be_told_of_failures_alone(stack: Stack) -> None:
    topic = sns.Topic.from_topic_arn(stack, "Failed", "arn:aws:sns:eu-west-1:123456789012:failed")
    notified = config(rendered(stack, error_topic=topic))["OutputConfig"]["NotificationConfig"]
    assert notified == {"ErrorTopic": topic.topic_arn}


def test_answers_are_encrypted_with_the_bucket_s_key_unless_another_one_is_given(stack: Stack) -> None:
    key = kms.Key(stack, "Key")
    template = rendered(stack, bucket=s3.Bucket(stack, "Own", encryption_key=key))
    (name,) = resources(template, "AWS::KMS::Key")
    assert config(template)["OutputConfig"]["KmsKeyId"] == {"Fn::GetAtt": [name, "Arn"]}


def test_an_instance_has_as_many_requests_in_progress_as_it_holds(stack: Stack) -> None:
    batch = endpoint(stack, request_tokens=8000)
    assert batch.max_concurrent_invocations > 1
    client = config(template_of(stack))["ClientConfig"]
    assert client == {"MaxConcurrentInvocationsPerInstance": batch.max_concurrent_invocations}


def test_the_role_may_read_requests_write_answers_and_publish_and_nothing_else_of_s3_and_sns(stack: Stack) -> None:
    topic = sns.Topic.from_topic_arn(stack, "Told", "arn:aws:sns:eu-west-1:123456789012:told")
    template = rendered(stack, success_topic=topic, error_topic=topic)
    found = {
        tuple(as_list(each["Action"])): [text(arn) for arn in as_list(each["Resource"])]
        for each in statements(template)
        if "s3:" in str(each["Action"]) or "sns:" in str(each["Action"]) or "kms:" in str(each["Action"])
    }
    folders = "arn:<AWS::Partition>:s3:::team-bucket/async"
    assert found == {
        ("s3:GetObject",): [f"{folders}/input/*"],
        ("s3:AbortMultipartUpload", "s3:PutObject"): [f"{folders}/output/*", f"{folders}/failures/*"],
        ("sns:Publish",): ["arn:aws:sns:eu-west-1:123456789012:told"],
    }


def test_the_role_may_use_the_keys_of_buckets_and_topics(stack: Stack) -> None:
    keys = {name: kms.Key(stack, f"Key{name}") for name in ("In", "Out", "Topic")}
    template = rendered(
        stack,
        input_bucket=s3.Bucket(stack, "In", encryption_key=keys["In"]),
        bucket=s3.Bucket(stack, "Out", encryption_key=keys["Out"]),
        error_topic=sns.Topic(stack, "Failed", master_key=keys["Topic"]),
    )
    ids = {name: stack.get_logical_id(key.node.default_child) for name, key in keys.items()}
    found = {
        (text(each["Resource"]).split(".")[0].lstrip("<"), tuple(as_list(each["Action"])))
        for each in statements(template)
        if "kms:" in str(each["Action"])
    }
    assert found == {
        (ids["In"], ("kms:Decrypt",)),
        (ids["Out"], ("kms:Decrypt", "kms:GenerateDataKey")),
        (ids["Topic"], ("kms:Decrypt", "kms:GenerateDataKey")),
    }
    # SageMaker publishes a test notification while it creates the endpoint.
    assert [name for name in only(template, MODEL)["DependsOn"] if "RoleDefaultPolicy" in name]


def test_requests_can_be_in_another_bucket(stack: Stack) -> None:
    batch = endpoint(stack, input_bucket=bucket(stack, "Inbox"), input_prefix="")
    assert batch.input_url == "s3://team-inbox/"
    assert batch.output_url == "s3://team-bucket/async/output/"
    assert batch.failure_url == "s3://team-bucket/async/failures/"
    read = statement_with(template_of(stack), "s3:GetObject")
    assert text(read["Resource"]) == "arn:<AWS::Partition>:s3:::team-inbox/*"


def test_a_caller_may_upload_invoke_and_read_answers_but_not_what_others_ask(stack: Stack) -> None:
    endpoint(stack).grant_invoke_async(caller(stack))
    template = template_of(stack)
    (of_caller,) = (each for name, each in resources(template, "AWS::IAM::Policy").items() if name.startswith("Caller"))
    (name,) = resources(template, ENDPOINT)
    folders = "arn:<AWS::Partition>:s3:::team-bucket/async"
    allowed = of_caller["Properties"]["PolicyDocument"]["Statement"]
    assert [(each["Action"], [text(arn) for arn in as_list(each["Resource"])]) for each in allowed] == [
        ("sagemaker:InvokeEndpointAsync", [f"<{name}>"]),
        ("s3:PutObject", [f"{folders}/input/*"]),
        ("s3:GetObject", [f"{folders}/output/*", f"{folders}/failures/*"]),
        ("s3:ListBucket", ["arn:<AWS::Partition>:s3:::team-bucket"]),
    ]
    assert allowed[3]["Condition"] == {"StringLike": {"s3:prefix": ["async/output/*", "async/failures/*"]}}


def test_a_caller_may_use_the_keys_as_it_uses_the_buckets(stack: Stack) -> None:
    keys = {name: kms.Key(stack, f"Key{name}") for name in ("In", "Out")}
    batch = endpoint(
        stack,
        input_bucket=s3.Bucket(stack, "In", encryption_key=keys["In"]),
        bucket=s3.Bucket(stack, "Out", encryption_key=keys["Out"]),
    )
    batch.grant_invoke_async(caller(stack))
    template = template_of(stack)
    (of_caller,) = (each for name, each in resources(template, "AWS::IAM::Policy").items() if name.startswith("Caller"))
    found = [
        (each["Action"], text(each["Resource"]).split("9")[0][:6])
        for each in of_caller["Properties"]["PolicyDocument"]["Statement"]
        if "kms:" in str(each["Action"])
    ]
    assert found == [(["kms:Decrypt", "kms:GenerateDataKey"], "<KeyIn"), ("kms:Decrypt", "<KeyOu")]


def test_a_grant_of_one_bucket_with_one_key_names_it_once(stack: Stack) -> None:
    batch = endpoint(stack, bucket=s3.Bucket(stack, "Own", encryption_key=kms.Key(stack, "Key")))
    grant = batch.grant_invoke_async(caller(stack))
    assert len(grant.principal_statements) == 5


def test_the_variant_has_no_routing_as_instances_take_requests_from_a_queue(stack: Stack) -> None:
    assert "RoutingConfig" not in variant(rendered(stack))


def test_instances_follow_the_backlog_from_none_to_the_most(stack: Stack) -> None:
    template = rendered(stack, max_concurrent_invocations=6, max_instances=4)
    target = properties(template, TARGET)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 4)
    (name,) = resources(template, ENDPOINT)
    assert text(target["ResourceId"]) == f"endpoint/<{name}.EndpointName>/variant/AllTraffic"
    tracked = policy(template, "Backlog")["TargetTrackingScalingPolicyConfiguration"]
    assert tracked == {
        "CustomizedMetricSpecification": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Dimensions": [{"Name": "EndpointName", "Value": {"Fn::GetAtt": [name, "EndpointName"]}}],
            "Statistic": "Average",
        },
        "TargetValue": 24,
        "ScaleOutCooldown": 840,
        "ScaleInCooldown": 300,
    }


def test_the_first_request_that_finds_no_instance_starts_one(stack: Stack) -> None:
    template = rendered(stack)
    (name,) = resources(template, ENDPOINT)
    alarm = properties(template, ALARM)
    assert alarm == {
        "AlarmDescription": "Requests are queued, and there is no instance.",
        "AlarmActions": [{"Ref": next(key for key in resources(template, POLICY) if "Wake" in key)}],
        "Namespace": "AWS/SageMaker",
        "MetricName": "HasBacklogWithoutCapacity",
        "Dimensions": [{"Name": "EndpointName", "Value": {"Fn::GetAtt": [name, "EndpointName"]}}],
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 1,
        "TreatMissingData": "notBreaching",
    }
    steps = policy(template, "Wake")["StepScalingPolicyConfiguration"]
    assert steps == {
        "AdjustmentType": "ChangeInCapacity",
        "MetricAggregationType": "Maximum",
        "Cooldown": 840,  # The alarm stays on until the instance serves, and must not start another one each minute.
        "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
    }


def test_with_an_instance_at_all_times_nothing_has_to_wake_it(stack: Stack) -> None:
    template = rendered(stack, min_instances=2, max_instances=3)
    assert resources(template, ALARM) == {}
    assert len(resources(template, POLICY)) == 1
    assert variant(template)["InitialInstanceCount"] == 2


def test_a_new_endpoint_starts_with_one_instance_as_sagemaker_creates_none_without(stack: Stack) -> None:
    assert variant(rendered(stack))["InitialInstanceCount"] == 1


def test_an_update_keeps_the_instances_that_scaling_has_set(stack: Stack) -> None:
    updated = properties(rendered(stack), ENDPOINT)
    assert updated["RetainAllVariantProperties"] is True
    assert updated["ExcludeRetainedVariantProperties"] == [
        {"VariantPropertyType": "DesiredWeight"},
        {"VariantPropertyType": "DataCaptureConfig"},
    ]


def test_it_costs_nothing_while_it_has_no_instance(stack: Stack) -> None:
    batch = endpoint(stack, max_instances=2)
    assert (batch.capacity.min_instances, batch.capacity.max_instances) == (0, 2)
    assert stack.resolve(batch.describe_price()).startswith("0.000 USD at minimum, 3.030 USD at maximum")


def test_it_is_another_resource_than_a_real_time_endpoint_as_neither_can_become_the_other(app: App) -> None:
    env = Environment(account="123456789012", region="eu-west-1")
    one, other = Stack(app, "One", env=env), Stack(app, "Other", env=env)
    endpoint(one)
    TgiEndpoint(other, "Batch", model=QWEN, instance_type=InstanceType.G5_2XLARGE)
    (asynchronous,), (real_time,) = resources(template_of(one), ENDPOINT), resources(template_of(other), ENDPOINT)
    assert asynchronous != real_time
    assert one.node.find_child("Batch").node.default_child.cfn_resource_type == ENDPOINT


REAL_TIME = ["grant_invoke", "auto_scale", "max_body_bytes", "add_variant"]
REAL_TIME += ["metric_invocations", "metric_invocations_per_instance", "metric_overhead_latency"]
REAL_TIME += ["metric_concurrent_requests", "metric_first_chunk_latency", "metric_invocation_model_errors"]


@pytest.mark.parametrize("name", REAL_TIME)
def test_it_does_not_offer_what_only_real_time_endpoints_have(name: str) -> None:
    assert hasattr(TgiEndpoint, name)
    assert not hasattr(AsyncTgiEndpoint, name)


QUEUE = {
    "backlog": ("ApproximateBacklogSize", "Average"),
    "backlog_per_instance": ("ApproximateBacklogSizePerInstance", "Average"),
    "age_of_oldest_request": ("ApproximateAgeOfOldestRequest", "Maximum"),
    "backlog_without_capacity": ("HasBacklogWithoutCapacity", "Maximum"),
}
OF_VARIANT = {
    "invocations_processed": ("InvocationsProcessed", "Sum"),
    "invocation_failures": ("InvocationFailures", "Sum"),
    "expired_requests": ("ExpiredRequests", "Sum"),
    "request_download_failures": ("RequestDownloadFailures", "Sum"),
    "response_upload_failures": ("ResponseUploadFailures", "Sum"),
    "notification_failures": ("NotificationFailures", "Sum"),
    "request_download_latency": ("RequestDownloadLatency", "Average"),
    "response_upload_latency": ("ResponseUploadLatency", "Average"),
    "time_in_backlog": ("TimeInBacklog", "Average"),
    "total_processing_time": ("TotalProcessingTime", "Average"),
    "invocation_4xx_errors": ("Invocation4XXErrors", "Sum"),
    "invocation_5xx_errors": ("Invocation5XXErrors", "Sum"),
    "model_latency": ("ModelLatency", "Average"),
}


def read(metric: Any) -> tuple[str, str, str, dict[str, str]]:
    stat = metric.to_metric_config().metric_stat
    return stat.namespace, stat.metric_name, stat.statistic, {each.name: each.value for each in stat.dimensions}


def test_the_queue_is_measured_by_endpoint_and_the_rest_by_variant(stack: Stack) -> None:
    batch = endpoint(stack, endpoint_name="batch", variant_name="Blue")
    by_endpoint = {"EndpointName": "batch"}
    for name, (metric, statistic) in QUEUE.items():
        assert read(getattr(batch, f"metric_{name}")()) == ("AWS/SageMaker", metric, statistic, by_endpoint)
    for name, (metric, statistic) in OF_VARIANT.items():
        expected = ("AWS/SageMaker", metric, statistic, by_endpoint | {"VariantName": "Blue"})
        assert read(getattr(batch, f"metric_{name}")()) == expected
    metric = batch.metric_age_of_oldest_request(statistic="Average", period=Duration.minutes(1))
    assert (metric.statistic, metric.period.to_seconds()) == ("Average", 60)


def test_a_front_door_refuses_it(stack: Stack) -> None:
    batch = endpoint(stack)
    assert rejection(lambda: FrontDoor(stack, "Door", models={"batch": batch})) == [
        (
            "models['batch']=(AsyncTgiEndpoint Team/Batch): is an asynchronous endpoint, which writes its answers to"
            " S3: a front door has none to pass on. Give a TgiEndpoint; clients of this one call InvokeEndpointAsync"
            " (grant_invoke_async)."
        )
    ]


def test_problems_of_all_kinds_are_told_together_and_leave_nothing_behind(stack: Stack) -> None:
    found = rejection(
        lambda: endpoint(
            stack,
            bucket="team-bucket",
            input_bucket="inbox",
            output_key="alias/answers",
            success_topic="arn:aws:sns:eu-west-1:123456789012:done",
            min_instances=2,
            options=TgiOptions(max_input_tokens=9000, max_total_tokens=4096),
        )
    )
    assert [each.split("=")[0] for each in found] == [
        "options.max_input_tokens",
        "bucket",
        "input_bucket",
        "output_key",
        "success_topic",
        "min_instances",
    ]
    assert found[1].startswith("bucket='team-bucket': must be a bucket of aws_s3, not str. Give aws_s3.Bucket.from_")
    assert found[4].startswith(
        "success_topic='arn:aws:sns:eu-west-1:123456789012:done': must be a topic of aws_sns, not str. Give aws_sns."
    )
    assert stack.node.try_find_child("Batch") is None


def test_a_bucket_or_topic_without_a_name_must_be_of_the_same_environment(app: App, stack: Stack) -> None:
    elsewhere = Stack(app, "Elsewhere", env=Environment(account="210987654321", region="eu-west-1"))
    found = rejection(
        lambda: endpoint(stack, bucket=s3.Bucket(elsewhere, "Data"), error_topic=sns.Topic(elsewhere, "Failed"))
    )
    assert [each.split(": ")[0] for each in found] == [
        "bucket=(Bucket Elsewhere/Data)",
        "error_topic=(Topic Elsewhere/Failed)",
    ]
    assert found[0].endswith("Give both stacks the same env, or set bucket_name of the bucket.")
    assert found[1].endswith("Give both stacks the same env, or set topic_name of the topic.")


def test_a_fifo_topic_is_rejected(stack: Stack) -> None:
    assert rejection(lambda: endpoint(stack, success_topic=sns.Topic(stack, "Done", fifo=True))) == [
        (
            "success_topic=(Topic Team/Done): must be a standard topic: SageMaker sends no message group, which a FIFO"
            " topic requires. Give a topic without fifo."
        )
    ]


def test_limits_that_only_the_deployment_knows_are_passed_on_where_nothing_is_worked_out_from_them(
    stack: Stack,
) -> None:
    most = CfnParameter(stack, "Most", type="Number")
    folder = CfnParameter(stack, "Folder")
    template = rendered(stack, max_instances=most.value_as_number, output_prefix=folder.value_as_string)
    assert properties(template, TARGET)["MaxCapacity"] == {"Ref": "Most"}
    assert text(config(template)["OutputConfig"]["S3OutputPath"]) == "s3://team-bucket/<Folder>"


def test_it_warns_that_its_instance_type_cannot_be_changed_in_place(stack: Stack) -> None:
    endpoint(stack)
    assert "tgi-endpoint:asyncKeepsInstanceType" in warnings(stack)
    assert "tgi-endpoint:fewConcurrentInvocations" not in warnings(stack)


def test_it_warns_of_few_requests_at_once(stack: Stack) -> None:
    endpoint(stack, request_tokens=None)
    assert "tgi-endpoint:fewConcurrentInvocations" in warnings(stack)


def test_the_other_arguments_are_those_of_a_real_time_endpoint(stack: Stack) -> None:
    template = rendered(
        stack,
        instance_type=[InstanceType.G6_2XLARGE, InstanceType.G5_2XLARGE],
        image=TgiImage.version("3.3.6"),
        startup_timeout=Duration.minutes(30),
        variant_name="Blue",
        endpoint_name="batch",
        role=iam.Role.from_role_arn(stack, "Own", "arn:aws:iam::123456789012:role/own"),
        tags={"team": "nlp"},
    )
    assert [pool["InstanceType"] for pool in variant(template)["InstancePools"]] == ["ml.g6.2xlarge", "ml.g5.2xlarge"]
    assert variant(template)["VariantName"] == "Blue"
    assert variant(template)["ContainerStartupHealthCheckTimeoutInSeconds"] == 1800
    assert properties(template, ENDPOINT)["EndpointName"] == "batch"
    assert {"Key": "team", "Value": "nlp"} in properties(template, ENDPOINT)["Tags"]


def test_changed_figures_replace_the_configuration_and_never_the_endpoint(app: App) -> None:
    env = Environment(account="123456789012", region="eu-west-1")
    changes: list[dict[str, Any]] = [
        {},
        {"max_concurrent_invocations": 3},
        {"max_instances": 5},
        {"output_prefix": "answers"},
        {"min_instances": 1},
    ]
    found = []
    for number, change in enumerate(changes):
        stack = Stack(app, f"Stack{number}", env=env)
        endpoint(stack, endpoint_name="batch", **change)
        found.append(stack)
    templates = [template_of(stack) for stack in found]
    for one, other in pairwise(templates):
        assert list(resources(one, ENDPOINT)) == list(resources(other, ENDPOINT))
        assert list(resources(one, CONFIG)) == list(resources(other, CONFIG))
    assert {properties(each, ENDPOINT)["EndpointName"] for each in templates} == {"batch"}


def test_an_update_replaces_what_may_be_none_all_at_once_and_several_in_batches(app: App) -> None:
    env = Environment(account="123456789012", region="eu-west-1")
    none, two = Stack(app, "None", env=env), Stack(app, "Two", env=env)
    endpoint(none, max_instances=4)
    endpoint(two, min_instances=2, max_instances=4)
    assert "DeploymentConfig" not in properties(template_of(none), ENDPOINT)
    rolling = properties(template_of(two), ENDPOINT)["DeploymentConfig"]["RollingUpdatePolicy"]
    assert rolling["MaximumBatchSize"] == {"Type": "CAPACITY_PERCENT", "Value": 50}


def test_alarms_that_are_given_undo_an_update(stack: Stack) -> None:
    alarm = cloudwatch.Alarm.from_alarm_name(stack, "Failures", "batch-failures")
    deployment = properties(rendered(stack, rollout=Rollout.all_at_once(alarms=[alarm])), ENDPOINT)["DeploymentConfig"]
    assert deployment["AutoRollbackConfiguration"]["Alarms"] == [{"AlarmName": "batch-failures"}]


def test_batches_need_instances_that_are_always_there(stack: Stack) -> None:
    (found,) = rejection(lambda: endpoint(stack, max_instances=4, rollout=Rollout.rolling()))
    assert found.startswith("rollout")


SAGEMAKER = get_session().get_service_model("sagemaker")


def test_figures_and_names_are_those_of_the_api(stack: Stack) -> None:
    assert SAGEMAKER.shape_for("MaxConcurrentInvocationsPerInstance").metadata == {"min": 1, "max": MAX_INVOCATIONS}
    assert SAGEMAKER.shape_for("DestinationS3Uri").metadata["max"] == LONGEST_URI
    assert list(TOPICS.values()) == SAGEMAKER.shape_for("AsyncNotificationTopicTypes").enum
    topic = sns.Topic.from_topic_arn(stack, "Told", "arn:aws:sns:eu-west-1:123456789012:told")
    template = rendered(
        stack,
        output_key=kms.Key.from_key_arn(stack, "Key", KEY_ARN),
        success_topic=topic,
        error_topic=topic,
        include_response_in=["success", "error"],
    )
    validate_parameters(config(template), SAGEMAKER.shape_for("AsyncInferenceConfig"))


def test_a_path_with_the_longest_names_is_as_long_as_sagemaker_allows(stack: Stack) -> None:
    long = s3.Bucket.from_bucket_name(stack, "Long", "b" * 63)
    longest = LONGEST_URI - 63 - len("s3:///")
    template = rendered(stack, bucket=long, output_prefix="o" * longest)
    assert len(config(template)["OutputConfig"]["S3OutputPath"]) == LONGEST_URI
    other = Stack(stack.node.root, "Other")
    (found,) = rejection(lambda: endpoint(other, output_prefix="o" * (longest + 1)))
    assert f"must have at most {longest} characters, has {longest + 1}" in found


def test_it_warns_of_a_vpc_from_which_s3_is_not_reached(app: App) -> None:
    found = {}
    for has_gateway in (False, True):
        stack = Stack(app, f"Gateway{has_gateway}", env=Environment(account="123456789012", region="eu-west-1"))
        isolated = ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        vpc = ec2.Vpc(stack, "Vpc", subnet_configuration=[isolated])
        if has_gateway:
            vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        endpoint(
            stack,
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            environment={"HF_ENDPOINT": "https://mirror.example.com"},
        )
        found[has_gateway] = "tgi-endpoint:asyncNeedsS3" in warnings(stack)
    assert found == {False: True, True: False}
