"""Endpoints as a caller types them. Never run: mypy checks that each line is accepted or rejected."""

from __future__ import annotations

from typing import assert_type

from aws_cdk import App, Aspects, Duration, Size, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import (
    CapacityReservation,
    CheapestFor,
    DataCapture,
    EndpointScaling,
    FleetModel,
    FrontDoor,
    IamNames,
    ImageMirror,
    IModelEndpoint,
    InstanceType,
    Model,
    ModelFacts,
    ModelFile,
    ModelVariant,
    Quantization,
    Rollout,
    Routing,
    ScaleToZero,
    TgiEndpoint,
    TgiImage,
    TgiOptions,
    read_model_file,
)

stack = Stack(App(), "Team")
token = secretsmanager.Secret.from_secret_name_v2(stack, "Token", "hub-token")
bucket = s3.Bucket.from_bucket_name(stack, "Weights", "weights")
repository = ecr.Repository.from_repository_name(stack, "Images", "images")
vpc = ec2.Vpc.from_lookup(stack, "Vpc", is_default=True)
role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))

FACTS = ModelFacts(
    hub_id="org/model",
    parameters=1,
    layers=1,
    hidden=1,
    heads=1,
    kv_heads=1,
    head_dim=1,
    max_positions=1,
    checkpoint_dtype="bfloat16",
    model_type="llama",
    licence="mit",
)

# With the required arguments only, and with all of them.
assert_type(Model.from_hub("org/model"), Model)
assert_type(Model.from_hub("org/model", facts=FACTS), Model)
assert_type(Model.from_hub("team/my-model", like="org/model"), Model)
assert_type(Model.from_s3(bucket, "prefix"), Model)
assert_type(Model.from_s3(bucket, "prefix", like="org/model", accept_eula=True), Model)
assert_type(Model.from_s3_archive(bucket, "model.tar.gz"), Model)
assert_type(Model.from_s3_archive(bucket, "model.tar.gz", model_id="org/model", facts=FACTS, accept_eula=True), Model)
assert_type(TgiImage.version("3.3.6"), TgiImage)
assert_type(TgiImage.version("3.3.6").mirrored(ImageMirror(prefix="mirror"), digest="sha256:"), TgiImage)
TgiImage.version("3.3.6").mirrored(ImageMirror())  # type: ignore[call-arg]
Aspects.of(stack).add(IamNames(path="/team/", prefix="team-"))
assert_type(InstanceType.G5_2XLARGE, InstanceType)
assert_type(InstanceType.cheapest_for(tokens=4096), CheapestFor)
assert_type(read_model_file("models.json"), ModelFile)
assert_type(TgiOptions(max_input_tokens=1024), TgiOptions)
TgiOptions(max_input_length=1024)  # type: ignore[call-arg]
TgiEndpoint(
    stack,
    "Cheapest",
    model=Model.from_s3(bucket, "prefix", model_id="org/model", facts=FACTS),
    instance_type=InstanceType.cheapest_for(tokens=8192, concurrency=32),
)
TgiEndpoint(
    stack,
    "Scarce",
    model=Model.from_hub("org/model"),
    instance_type=[InstanceType.G6_2XLARGE, InstanceType.G5_2XLARGE],
    routing=Routing.least_outstanding(),
)
errors = cloudwatch.Alarm.from_alarm_name(stack, "Errors", "errors")
assert_type(Rollout.all_at_once(), Rollout)
assert_type(
    Rollout.all_at_once(termination_wait=Duration.minutes(5), time_limit=Duration.hours(1), alarms=[errors]), Rollout
)
assert_type(Rollout.canary(count=1, wait=Duration.minutes(5), alarms=[]), Rollout)
assert_type(Rollout.linear(percent=25, termination_wait=Duration.minutes(5)), Rollout)
assert_type(Rollout.rolling(percent=50, rollback_in_batches=True), Rollout)
Rollout.rolling(termination_wait=Duration.minutes(5))  # type: ignore[call-arg]
Rollout.canary(wait=300)  # type: ignore[arg-type]
rolled = TgiEndpoint(
    stack,
    "Rolled",
    model=Model.from_hub("org/model"),
    instance_type=InstanceType.G5_2XLARGE,
    instance_count=2,
    rollout=Rollout.rolling(),
)
assert_type(rolled.roll_back_on(errors, errors), None)
rolled.roll_back_on("errors")  # type: ignore[arg-type]
FleetModel(model=Model.from_hub("org/model"), copies=(2, 4), rollout=Rollout.rolling(count=1))
assert_type(ScaleToZero(), ScaleToZero)
assert_type(ScaleToZero(idle=Duration.minutes(30), max_copies=2, request_tokens=4000, target=8.5), ScaleToZero)
assert_type(ScaleToZero.hours("mon-fri 08:00-19:00", time_zone="Europe/Berlin"), ScaleToZero)
to_zero = TgiEndpoint(
    stack,
    "ToZero",
    model=Model.from_hub("org/model"),
    instance_type=InstanceType.G5_2XLARGE,
    scale_to_zero=ScaleToZero.hours(
        "mon-fri 08:00-19:00",
        "sat 10:00-14:00",
        time_zone="UTC",
        outside="closed",
        idle=Duration.minutes(30),
        max_copies=2,
        target=8,
    ),
)
assert_type(to_zero.inference_component_name, str | None)
least = TgiEndpoint(stack, "Least", model=Model.from_hub("org/model"), instance_type=InstanceType.G5_2XLARGE)
TgiEndpoint(
    stack,
    "All",
    model=Model.from_hub("org/model", revision="main", token=token),
    instance_type=InstanceType.named("ml.g5.2xlarge"),
    image=TgiImage.from_ecr_repository(repository, tag="1", version="3.3.6"),
    options=TgiOptions(quantize=Quantization.AWQ, max_input_tokens=1, max_total_tokens=2),
    instance_count=1,
    environment={"NAME": "value"},
    startup_timeout=Duration.minutes(10),
    model_download_timeout=Duration.minutes(10),
    volume_size=Size.gibibytes(100),
    volume_key=kms.Key(stack, "Key"),
    vpc=vpc,
    vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
    security_groups=[ec2.SecurityGroup(stack, "Group", vpc=vpc)],
    network_isolation=False,
    inference_ami_version="al2-ami-sagemaker-inference-gpu-3-1",
    routing=Routing.prefix_aware(shared_bytes=4096, threshold=16),
    capacity_reservation=CapacityReservation(arn="arn:aws:sagemaker:eu-west-1:123456789012:training-plan/chat"),
    instance_provision_timeout=Duration.minutes(10),
    data_capture=DataCapture(
        bucket=bucket,
        prefix="captured",
        sampling_percentage=5,
        what="input",
        key=kms.Key(stack, "CaptureKey"),
        json_content_types=["application/json"],
    ),
    detailed_observability=True,
    variant_name="AllTraffic",
    variant_weight=2.5,
    endpoint_name="chat",
    role=role,
    tags={"team": "chat"},
)

# Its attributes and methods.
assert_type(least.endpoint_arn, str)
assert_type(least.endpoint_name, str)
assert_type(least.variant_name, str)
assert_type(least.model_id, str | None)
assert_type(least.max_body_bytes, int)
assert_type(least.engine, str)
assert_type(least.role, iam.IRole)
assert_type(least.connections, ec2.Connections)
assert_type(least.grant_invoke(role), iam.Grant)
assert_type(least.variants, tuple[ModelVariant, ...])
assert_type(
    least.add_variant("blue", weight=0.5, options=TgiOptions(num_shard=1), image=TgiImage.version("3.0.1")),
    ModelVariant,
)
assert_type(least.variants[1].weight, float)
assert_type(least.variants[1].metric_model_latency(), cloudwatch.Metric)
assert_type(least.variants[1].auto_scale(max_instances=2), EndpointScaling)
assert_type(least.metric_invocations(), cloudwatch.Metric)
assert_type(least.metric_model_latency(statistic="p99", period=Duration.minutes(1)), cloudwatch.Metric)
assert_type(least.metric("ModelSetupTime", namespace="AWS/SageMaker", label="set-up"), cloudwatch.Metric)

# Where it can be used: with the CDK's own interfaces and a front door. The same for imported endpoints.
by_name = TgiEndpoint.from_endpoint_name(stack, "Name", "chat", variant_name="Blue", model_id="org/model")
by_arn = TgiEndpoint.from_endpoint_arn(stack, "Arn", "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/chat")
for endpoint in (least, by_name, by_arn):
    theirs: sagemaker.IEndpoint = endpoint
    ours: IModelEndpoint = endpoint
    apigateway.SagemakerIntegration(endpoint)
grantee: iam.IGrantable = least
connectable: ec2.IConnectable = least
bucket.grant_read(least)
FrontDoor(stack, "Api", models={"own": least, "shared": by_name})

# What mypy rejects. It reports an ignore that is not needed, so these would fail if they were accepted.
TgiEndpoint(stack, "NoInstance", model=Model.from_hub("org/model"))  # type: ignore[call-arg]
TgiEndpoint(stack, "Name", model="org/model", instance_type=InstanceType.G5_2XLARGE)  # type: ignore[arg-type]
TgiEndpoint(stack, "Type", model=Model.from_hub("org/model"), instance_type="ml.g5.2xlarge")  # type: ignore[arg-type]
Model.from_hub("org/model", token="hf_…")  # type: ignore[arg-type]
Model.from_hub("org/model", accept_eula=True)  # type: ignore[call-arg]
Model.from_s3_archive("weights", "model.tar.gz")  # type: ignore[arg-type]
TgiEndpoint(
    stack,
    "Zero",
    model=Model.from_hub("org/model"),
    instance_type=InstanceType.G5_2XLARGE,
    scale_to_zero=True,  # type: ignore[arg-type]
)
ScaleToZero(idle=30)  # type: ignore[arg-type]
ScaleToZero.hours("mon-fri 08:00-19:00")  # type: ignore[call-arg]
ScaleToZero.hours("mon-fri 08:00-19:00", time_zone="UTC", outside="off")  # type: ignore[arg-type]
least.add_variant("red")  # type: ignore[call-arg]
least.add_variant("red", weight=1, instance_type="ml.g5.2xlarge")  # type: ignore[arg-type]
TgiOptions(max_input_token=1)  # type: ignore[call-arg]
TgiImage.from_uri("registry/tgi:1")  # type: ignore[call-arg]
least.metric_invocations(statistics="Sum")  # type: ignore[call-arg]
