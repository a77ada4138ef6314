"""The command doctor, in an account of moto's."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.constructs_lib.cli.doctor.account import (
    ACCESS_LOG,
    FUNCTION_LOG,
    LLAMA,
    STACK,
    TOKEN,
    Account,
    client,
    template,
)
from tests.constructs_lib.planning.diagnosis.test_causes import EXAMPLES, HEALTHY_LOG

HEALTH_CHECK = EXAMPLES["health-check"][1]
OUT_OF_MEMORY = EXAMPLES["out-of-memory"][1]


def report(run, *arguments, status=1):
    outcome = run("doctor", *arguments, "--json")
    assert outcome.status == status, outcome
    return json.loads(outcome.out)


def findings(run, *arguments, status=1):
    (endpoint,) = report(run, *arguments, status=status)["endpoints"]
    return endpoint["findings"]


@pytest.mark.parametrize("arguments", [(STACK,), ("{}",), ("--stack", STACK), ("--endpoint", "{}")])
def test_nothing_is_wrong_with_a_healthy_endpoint_and_it_says_what_it_read(run, account, arguments):
    account.log(account.container_log, *HEALTHY_LOG)
    outcome = run("doctor", *(argument.format(account.name) for argument in arguments))
    assert (outcome.status, "could not read" in outcome.out) == (0, False)
    assert f"endpoint {account.name} · InService · us-east-1" in outcome.out
    assert f"By its plan: {LLAMA} on TGI 3.3.6, ml.g5.2xlarge: fits, with " in outcome.out
    assert "Nothing was found that keeps it from starting or makes it slow." in outcome.out
    assert "the container's log" in outcome.out
    assert "the metrics" in outcome.out


@pytest.mark.parametrize(
    "cause", [name for name, (source, _) in EXAMPLES.items() if source in ("container log", "status", "stack event")]
)
def test_every_cause_is_the_first_where_it_is_said(run, aws, cause):
    from constructs_lib.planning.diagnosis.catalogue import CAUSES

    account = Account()
    source, text = EXAMPLES[cause]
    if source == "container log":
        account.log(account.container_log, *HEALTHY_LOG, text)
        if not CAUSES[cause].serving:
            account.fail(HEALTH_CHECK)
    elif source == "status":
        account.fail(text)
    else:
        account.endpoint.endpoint_status = "InService"
        account.fail_deployment(("Endpoint", "AWS::SageMaker::Endpoint", text))
    assert findings(run, STACK)[0]["id"] == cause


@pytest.mark.parametrize(
    "cause", [name for name, (source, _) in EXAMPLES.items() if source in ("function log", "API Gateway log")]
)
def test_the_logs_of_the_front_door_are_read(run, account, cause):
    source, text = EXAMPLES[cause]
    account.serve_access_log()
    account.log(FUNCTION_LOG if source == "function log" else ACCESS_LOG, text)
    (finding,) = findings(run, STACK)
    assert finding["id"] == cause
    assert finding["evidence"][0]["source"] == source
    assert finding["evidence"][0]["at"].endswith("+00:00")


def test_the_plan_of_what_is_deployed_is_evidence_beside_the_log(run, aws):
    account = Account(template("ml.g4dn.xlarge", MAX_INPUT_TOKENS="8191", MAX_TOTAL_TOKENS="8192"))
    account.fail(HEALTH_CHECK)
    account.log(account.container_log, OUT_OF_MEMORY, OUT_OF_MEMORY, "Error: ShardCannotStart")
    outcome = run("doctor", STACK)
    assert outcome.status == 1
    assert f"By its plan: {LLAMA} on TGI 3.3.6, ml.g4dn.xlarge: does not fit: 4.7 GiB short\n" in outcome.out
    first = outcome.out.partition("\n2. ")[0]
    assert "1. The model does not fit into the GPU memory (almost certain)\n" in first
    log, plan, fix = [line.strip() for line in first.splitlines() if line.startswith("   ")]
    assert re.fullmatch(
        rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\dZ container log: {re.escape(OUT_OF_MEMORY)} \(2 times\)", log
    )
    assert plan == "plan: does not fit: 4.7 GiB short on its GPU"
    assert fix.startswith("→ What would fit: ")
    assert "ml.g6.xlarge ($1.13 an hour)" in fix


def test_a_quota_is_read_and_the_command_that_raises_it_is_shown(run, account, answers):
    quota = {"QuotaName": "ml.g5.2xlarge for endpoint usage", "QuotaCode": "L-9614C779", "Value": 0.0}
    others = {"QuotaName": "ml.g5.4xlarge for endpoint usage", "QuotaCode": "L-C1B9A48D", "Value": 0.0}
    answers["ListServiceQuotas"] = lambda asked: (
        {"Quotas": [quota]} if "NextToken" in asked else {"Quotas": [others], "NextToken": "more"}
    )
    account.fail_deployment(("Endpoint", "AWS::SageMaker::Endpoint", EXAMPLES["quota"][1]))
    first = findings(run, STACK)[0]
    assert first["id"] == "quota"
    assert [one["text"] for one in first["evidence"]][1] == "ml.g5.2xlarge for endpoint usage: 0"
    assert first["fix"] == (
        "aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code L-9614C779"
        " --desired-value 2."
    )


def test_weights_that_are_not_there_are_looked_for(run, account):
    model = client("sagemaker")
    source = {
        "S3DataSource": {"S3Uri": "s3://no-such-bucket/llama/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    }
    _change_model(model, ModelDataSource=source)
    account.fail("Could not access model data at s3://no-such-bucket/llama/.")
    first = findings(run, STACK)[0]
    assert first["id"] == "weights-access"
    assert {one["text"] for one in first["evidence"]} >= {
        "no objects at s3://no-such-bucket/llama/: there is no such bucket"
    }


def _change_model(client, **container):
    from moto.sagemaker.models import sagemaker_backends

    models = sagemaker_backends["123456789012"]["us-east-1"]._models
    (model,) = models.values()
    model.primary_container.update(container)


def test_a_secret_that_is_not_there_is_named(run, account):
    client("secretsmanager").delete_secret(SecretId="hugging-face-token", ForceDeleteWithoutRecovery=True)
    account.fail(HEALTH_CHECK)
    account.log(account.container_log, EXAMPLES["hub-token"][1])
    found = {one["id"]: one for one in findings(run, STACK)}
    assert found["secret"]["evidence"][0]["text"] == "secret hugging-face-token does not exist"


def test_scaling_that_has_failed_is_read(run, account, answers):
    resource = f"endpoint/{account.name}/variant/AllTraffic"
    target = {"ResourceId": resource, "MinCapacity": 1, "MaxCapacity": 4}
    answers["DescribeScalableTargets"] = lambda _: {"ScalableTargets": [target]}
    activity = {
        "StatusCode": "Failed",
        "StartTime": datetime.now(UTC),
        "StatusMessage": "Failed to set desired instance count to 4: InsufficientInstanceCapacity",
    }
    answers["DescribeScalingActivities"] = lambda asked: (
        {"ScalingActivities": [activity]} if asked["ResourceId"] == resource else {}
    )
    (finding,) = findings(run, STACK)
    assert finding["id"] == "capacity"
    assert finding["evidence"][0]["source"] == "scaling activity of AllTraffic"


def test_inference_components_have_a_log_and_a_reason_of_their_own(run, account, answers):
    answers["ListInferenceComponents"] = lambda _: {"InferenceComponents": [{"InferenceComponentName": "one"}]}
    answers["DescribeInferenceComponent"] = lambda _: {
        "InferenceComponentName": "one",
        "InferenceComponentStatus": "Failed",
        "FailureReason": EXAMPLES["component-room"][1],
        "Specification": {"ModelName": "llama-model"},
        "RuntimeConfig": {"CurrentCopyCount": 0, "DesiredCopyCount": 1},
    }
    account.log("/aws/sagemaker/InferenceComponents/one", EXAMPLES["disk"][1])
    assert {one["id"] for one in findings(run, STACK)} >= {"component-room", "disk", "waits-for-instances"}


def test_metrics_are_read(run, account):
    at = datetime.now(UTC) - timedelta(minutes=10)
    dimensions = [{"Name": "EndpointName", "Value": account.name}, {"Name": "VariantName", "Value": "AllTraffic"}]
    client("cloudwatch").put_metric_data(
        Namespace="/aws/sagemaker/Endpoints",
        MetricData=[{"MetricName": "DiskUtilization", "Dimensions": dimensions, "Value": 97.0, "Timestamp": at}],
    )
    read = report(run, STACK)["endpoints"][0]
    assert [one["id"] for one in read["findings"]] == ["disk"]
    assert read["findings"][0]["evidence"][0]["text"] == "97 %"
    assert read["metrics"]["DiskUtilization"]["most"] == 97.0
    assert "Measured: disk at most 97 %.\n" in run("doctor", STACK).out


def test_of_a_creation_that_was_rolled_back_the_events_have_what_was_deployed(run, account):
    name, log = account.name, account.container_log
    account.forget()
    account.fail_deployment(("Endpoint", "AWS::SageMaker::Endpoint", HEALTH_CHECK))
    account.log(log, OUT_OF_MEMORY)
    (read,) = report(run, STACK)["endpoints"]
    assert (read["endpoint"], read["status"], read["findings"][0]["id"]) == (name, "Failed", "out-of-memory")
    (plan,) = read["plans"]
    assert (plan["model"], plan["instance"], plan["fits"]) == (LLAMA, "ml.g4dn.xlarge", False)
    assert "GiB short" in read["findings"][0]["evidence"][1]["text"]


def test_an_endpoint_that_somebody_deleted_is_a_finding(run, account):
    name = account.name
    client("sagemaker").delete_endpoint(EndpointName=name)
    (finding,) = findings(run, STACK)
    assert finding["id"] == "endpoint-gone"
    assert finding["evidence"][0]["text"] == f"there is no endpoint {name}, which the stack lists"


def test_what_was_logged_before_the_last_deployment_is_another_ones(run, account):
    account.log(account.container_log, EXAMPLES["shards"][1], age=timedelta(hours=2, minutes=5))
    assert findings(run, STACK, status=0) == []
    assert findings(run, STACK, "--since", "3h")[0]["id"] == "shards"


def test_nothing_secret_and_no_prompt_is_printed(run, aws):
    account = Account(template(MY_PASSWORD="open sesame", MAX_TOTAL_TOKENS="lots"))
    account.fail(f"{HEALTH_CHECK} token {TOKEN}")
    account.log(
        account.container_log,
        f"No space left on device, env: {{'HF_TOKEN': '{TOKEN}', 'MY_PASSWORD': 'open sesame'}}",
        f"GatedRepoError: 403 Client Error with {TOKEN}",
        "CUDA out of memory while serving prompt: 'what is my salary'",
    )
    for extra in ((), ("--json",)):
        outcome = run("doctor", STACK, *extra)
        assert outcome.status == 1
        for secret in (TOKEN, "sesame", "salary", "lots"):
            assert secret not in outcome.out + outcome.err


def test_a_terminal_gets_wrapped_lines(run, account):
    account.fail(HEALTH_CHECK)
    account.log(account.container_log, EXAMPLES["shards"][1])
    outcome = run("doctor", STACK, is_terminal=True)
    assert max(len(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in outcome.out.splitlines()) <= 120


def test_an_endpoint_may_be_named_by_its_arn(run, account):
    arn = account.endpoint.arn.rpartition("/")[0] + f"/{account.name}"
    assert f"endpoint {account.name} · InService" in run("doctor", arn).out


def test_progress_goes_to_stderr(run, account):
    outcome = run("doctor", STACK)
    assert outcome.err.splitlines()[0] == f"read the stack {STACK}"
    assert "read the stack's events" in outcome.err
