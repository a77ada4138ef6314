"""The changes of each argument of TgiEndpoint, and of what scales it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, Size
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from constructs_lib import (
    CapacityReservation,
    DataCapture,
    FrontDoor,
    ImageMirror,
    InstanceType,
    Model,
    Rollout,
    Routing,
    ScaleToZero,
    TgiEndpoint,
    TgiImage,
    TgiOptions,
)
from constructs_lib.endpoint.scaling import EndpointScaling
from tests.update_safety.subjects import Change, Subject, added, change, fixed, nothing

if TYPE_CHECKING:
    from aws_cdk import Stack

    from tests.update_safety.subjects import Given

QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
MISTRAL = Model.from_hub("mistralai/Mistral-7B-Instruct-v0.3")
VPC_IDS = {"one": "vpc-0123456789abcdef1", "two": "vpc-0123456789abcdef2"}
SUBNETS = {"one": "subnet-0123456789abcde1", "two": "subnet-0123456789abcde2"}
PLAN = "arn:aws:sagemaker:eu-west-1:123456789012:training-plan/{}"
NAMES_COMPONENTS = "SageMaker accepts no component on an endpoint whose variant has a Model"
KEEPS_VARIANT = "SageMaker requires the same variant name in an update"
KEEPS_TYPE = "SageMaker refuses another instance type while the endpoint scales"


def add_endpoint(stack: Stack, given: Given) -> TgiEndpoint:
    """An endpoint behind a front door, with a consumer."""
    arguments: Any = {"model": QWEN, "instance_type": InstanceType.G5_2XLARGE} | given
    endpoint = TgiEndpoint(stack, arguments.pop("id", "Llama"), **arguments)
    FrontDoor(stack, "Api", models={"llama": endpoint}).add_consumer("Team")
    return endpoint


def add_scaled_endpoint(stack: Stack, given: Given) -> None:
    """The same, which scales from the first deployment on."""
    add_endpoint(stack, given).auto_scale(max_instances=4).on_concurrency(target=5)


def vpc(stack: Stack, name: str) -> ec2.IVpc:
    """A VPC that exists, of two Availability Zones."""
    return ec2.Vpc.from_vpc_attributes(
        stack,
        f"Vpc-{name}",
        vpc_id=VPC_IDS[name],
        availability_zones=["eu-west-1a", "eu-west-1b"],
        private_subnet_ids=[f"{SUBNETS[name]}1", f"{SUBNETS[name]}2"],
    )


def in_s3(stack: Stack) -> Model:
    """Weights in a bucket that exists."""
    return Model.from_s3(
        s3.Bucket.from_bucket_name(stack, "Weights", "weights"), "qwen/", like="Qwen/Qwen2.5-7B-Instruct"
    )


def security_group(stack: Stack, name: str) -> ec2.ISecurityGroup:
    return ec2.SecurityGroup.from_security_group_id(stack, f"Group-{name}", "sg-0123456789abcdef0")


def role(stack: Stack, name: str) -> iam.IRole:
    return iam.Role(stack, f"Role-{name}", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))


def key(stack: Stack, name: str) -> kms.IKey:
    return kms.Key.from_key_arn(stack, f"Key-{name}", f"arn:aws:kms:eu-west-1:123456789012:key/{name}")


def capture(stack: Stack, **given: Any) -> DataCapture:
    """What is captured into a bucket that exists."""
    return DataCapture(bucket=s3.Bucket.from_bucket_name(stack, "Captured", "captured"), **given)


def subnets(stack: Stack, *ids: str) -> ec2.SubnetSelection:
    return ec2.SubnetSelection(subnets=[ec2.Subnet.from_subnet_id(stack, each, each) for each in ids])


NO_NVME: Given = {"instance_type": InstanceType.G7_2XLARGE}

ENDPOINT = Subject(
    "TgiEndpoint",
    add_endpoint,
    takes=TgiEndpoint.__init__,
    cases={
        "id": [change("id", "Llama", "Other")],
        "id while endpoint_name is set": [change("id", "Llama", "Other", endpoint_name="llama")],
        "model": [
            change("model", QWEN, MISTRAL),
            Change(nothing, lambda stack: {"model": in_s3(stack)}),
            Change(lambda stack: {"model": in_s3(stack)}, nothing),
        ],
        "instance_type": [
            added("instance_type", InstanceType.G6_2XLARGE),
            added("instance_type", [InstanceType.G5_2XLARGE, InstanceType.G6_2XLARGE]),
            added("instance_type", InstanceType.cheapest_for(tokens=2000, concurrency=2)),
        ],
        "image": [
            added("image", TgiImage.version("3.3.4")),
            added("image", TgiImage.version("3.3.6").mirrored(ImageMirror(), digest=f"sha256:{'0' * 64}")),
        ],
        "options": [added("options", TgiOptions(max_input_tokens=2000, max_total_tokens=3000))],
        "instance_count": [change("instance_count", 1, 2), change("instance_count", 4, 2)],
        "environment": [added("environment", {"HF_HUB_DISABLE_TELEMETRY": "1"})],
        "startup_timeout": [added("startup_timeout", Duration.minutes(45))],
        "model_download_timeout": [
            Change(
                lambda stack: {"model": in_s3(stack)},
                lambda stack: {"model": in_s3(stack), "model_download_timeout": Duration.minutes(45)},
            )
        ],
        "volume_size": [added("volume_size", Size.gibibytes(200), **NO_NVME)],
        "volume_key": [Change(fixed(**NO_NVME), lambda stack: {**NO_NVME, "volume_key": key(stack, "one")})],
        "vpc": [
            Change(nothing, lambda stack: {"vpc": vpc(stack, "one")}),
            Change(lambda stack: {"vpc": vpc(stack, "one")}, lambda stack: {"vpc": vpc(stack, "two")}),
            Change(lambda stack: {"vpc": vpc(stack, "one")}, nothing),
        ],
        "vpc_subnets": [
            Change(
                lambda stack: {"vpc": vpc(stack, "one")},
                lambda stack: {"vpc": vpc(stack, "one"), "vpc_subnets": subnets(stack, "subnet-0123456789abcde31")},
            )
        ],
        "security_groups": [
            Change(
                lambda stack: {"vpc": vpc(stack, "one")},
                lambda stack: {"vpc": vpc(stack, "one"), "security_groups": [security_group(stack, "one")]},
            )
        ],
        "network_isolation": [
            Change(
                lambda stack: {"model": in_s3(stack)},
                lambda stack: {"model": in_s3(stack), "network_isolation": True},
            )
        ],
        "inference_ami_version": [added("inference_ami_version", "al2-ami-sagemaker-inference-gpu-2")],
        "routing": [
            added("routing", Routing.prefix_aware(shared_bytes=4096, threshold=16), instance_count=2),
        ],
        "capacity_reservation": [
            added("capacity_reservation", CapacityReservation(arn=PLAN.format("one"))),
            change(
                "capacity_reservation",
                CapacityReservation(arn=PLAN.format("one")),
                CapacityReservation(arn=PLAN.format("two")),
            ),
        ],
        "instance_provision_timeout": [added("instance_provision_timeout", Duration.minutes(20))],
        "scale_to_zero": [
            added("scale_to_zero", ScaleToZero(), NAMES_COMPONENTS),
            change("scale_to_zero", ScaleToZero(), None, NAMES_COMPONENTS),
        ],
        "replace_on_instance_type_change": [
            added("replace_on_instance_type_change", True),
            change("replace_on_instance_type_change", True, False),
        ],
        "data_capture": [
            Change(nothing, lambda stack: {"data_capture": capture(stack)}),
            Change(lambda stack: {"data_capture": capture(stack)}, nothing),
            Change(
                lambda stack: {"data_capture": capture(stack)},
                lambda stack: {"data_capture": capture(stack, sampling_percentage=50)},
            ),
        ],
        "detailed_observability": [added("detailed_observability", True)],
        "rollout": [
            added("rollout", Rollout.all_at_once(termination_wait=Duration.minutes(10))),
            change("rollout", Rollout.canary(count=1), Rollout.rolling(percent=25), instance_count=4),
        ],
        "variant_weight": [added("variant_weight", 3)],
        "variant_name": [change("variant_name", "AllTraffic", "Main", KEEPS_VARIANT)],
        "endpoint_name": [
            added("endpoint_name", "llama"),
            change("endpoint_name", "llama", "llama-2"),
            added("endpoint_name", "llama", scale_to_zero=ScaleToZero()),
            change("endpoint_name", "llama", "llama-2", scale_to_zero=ScaleToZero()),
        ],
        "role": [
            Change(nothing, lambda stack: {"role": role(stack, "one")}),
            Change(lambda stack: {"role": role(stack, "one")}, nothing),
        ],
        "tags": [added("tags", {"team": "search"}), added("tags", {"team": "search"}, scale_to_zero=ScaleToZero())],
    },
)


def add_replacing_endpoint(stack: Stack, given: Given) -> None:
    """One that a new one takes over from."""
    add_endpoint(stack, {"replace_on_instance_type_change": True} | given)


REPLACING = Subject(
    "TgiEndpoint",
    add_replacing_endpoint,
    {
        "instance_type with replace_on_instance_type_change": [
            added("instance_type", InstanceType.G6_2XLARGE),
            added("instance_type", InstanceType.G6_2XLARGE, scale_to_zero=ScaleToZero()),
        ]
    },
)

SCALED = Subject(
    "TgiEndpoint",
    add_scaled_endpoint,
    {"instance_type while auto_scale is on": [added("instance_type", InstanceType.G6_2XLARGE, KEEPS_TYPE)]},
)


def add_scaling(stack: Stack, given: Given) -> None:
    """An endpoint with auto_scale, or without if that is what changes."""
    endpoint = add_endpoint(stack, {"instance_count": 2})
    if given:
        endpoint.auto_scale(**({"max_instances": 4, "request_tokens": 2000} | given)).on_concurrency()


AUTO_SCALE = Subject(
    "auto_scale",
    add_scaling,
    takes=TgiEndpoint.auto_scale,
    cases={
        "min_instances": [change("min_instances", 1, 2)],
        "max_instances": [change("max_instances", 4, 8)],
        "on or off": [Change(nothing, fixed(max_instances=4)), Change(fixed(max_instances=4), nothing)],
        "request_tokens": [change("request_tokens", 2000, 1000)],
    },
)


def policy(name: str) -> Any:
    """Adds a policy of that name to an endpoint that scales, or none."""

    def build(stack: Stack, given: Given) -> None:
        scaling = add_endpoint(stack, {}).auto_scale(max_instances=4)
        if given:
            getattr(scaling, name)(*given.pop("when", ()), **given)

    return build


def gpu(percent: str) -> cloudwatch.IMetric:
    return cloudwatch.Metric(namespace="Team", metric_name="Load", dimensions_map={"Kind": percent})


_COOLDOWNS = {
    name: [change(name, Duration.minutes(5), Duration.minutes(8), target=5)]
    for name in ("scale_out_cooldown", "scale_in_cooldown")
}

POLICIES = (
    Subject(
        "on_concurrency",
        policy("on_concurrency"),
        takes=EndpointScaling.on_concurrency,
        cases={"target": [change("target", 5, 8), Change(nothing, fixed(target=5))], **_COOLDOWNS},
    ),
    Subject(
        "on_invocations",
        policy("on_invocations"),
        takes=EndpointScaling.on_invocations,
        cases={
            "per_minute": [change("per_minute", 60, 90), Change(nothing, fixed(per_minute=60))],
            **{
                name: [change(name, Duration.minutes(5), Duration.minutes(8), per_minute=60)]
                for name in ("scale_out_cooldown", "scale_in_cooldown")
            },
        },
    ),
    Subject(
        "on_metric",
        policy("on_metric"),
        takes=EndpointScaling.on_metric,
        cases={
            "metric": [change("metric", gpu("one"), gpu("two"), target=50)],
            "target": [change("target", 50, 60, metric=gpu("one"))],
            "id": [change("id", "Load", "Other", metric=gpu("one"), target=50)],
            **{
                name: [change(name, Duration.minutes(5), Duration.minutes(8), metric=gpu("one"), target=50)]
                for name in ("scale_out_cooldown", "scale_in_cooldown")
            },
        },
    ),
    Subject(
        "on_schedule",
        policy("on_schedule"),
        takes=EndpointScaling.on_schedule,
        cases={
            "when": [
                change("when", ["mon-fri 08:00-19:00"], ["mon-fri 07:00-19:00"], time_zone="Europe/Berlin", minimum=2)
            ],
            "time_zone": [change("time_zone", "Europe/Berlin", "Europe/Rome", when=["mon-fri 08:00-19:00"], minimum=2)],
            "minimum": [change("minimum", 2, 3, when=["mon-fri 08:00-19:00"], time_zone="Europe/Berlin")],
            "maximum": [change("maximum", 2, 3, when=["mon-fri 08:00-19:00"], time_zone="Europe/Berlin")],
        },
    ),
)


def add_zero_endpoint(stack: Stack, given: Given) -> None:
    """An endpoint that goes to zero from the first deployment on."""
    add_endpoint(stack, {"scale_to_zero": ScaleToZero(**given)})


def add_hours(stack: Stack, given: Given) -> None:
    """One with hours."""
    windows = given.pop("windows", ["mon-fri 08:00-19:00"])
    hours = ScaleToZero.hours(*windows, **({"time_zone": "Europe/Berlin"} | given))
    add_endpoint(stack, {"scale_to_zero": hours})


ZERO = Subject(
    "ScaleToZero",
    add_zero_endpoint,
    takes=ScaleToZero,
    cases={
        "idle": [added("idle", Duration.minutes(45))],
        "max_copies": [change("max_copies", 2, 3, request_tokens=2000), change("max_copies", 1, 2)],
        "request_tokens": [change("request_tokens", 2000, 1000, max_copies=2)],
        "target": [change("target", 5, 8, max_copies=2)],
        "weekly_hours": [
            Change(
                nothing,
                lambda _stack: {
                    "weekly_hours": ScaleToZero.hours("sat 10:00-12:00", time_zone="Europe/Rome").weekly_hours
                },
            )
        ],
    },
)

HOURS = Subject(
    "ScaleToZero.hours",
    add_hours,
    takes=ScaleToZero.hours,
    cases={
        "windows": [change("windows", ["mon-fri 08:00-19:00"], ["sat 10:00-12:00"])],
        "time_zone": [change("time_zone", "Europe/Berlin", "Europe/Rome")],
        "outside": [change("outside", "idle", "closed")],
        "idle": [added("idle", Duration.minutes(45))],
        "max_copies": [change("max_copies", 2, 3, request_tokens=2000), change("max_copies", 1, 2)],
        "request_tokens": [change("request_tokens", 2000, 1000, max_copies=2)],
        "target": [change("target", 5, 8, max_copies=2)],
    },
)


ENDPOINT_SUBJECTS = (ENDPOINT, REPLACING, SCALED, AUTO_SCALE, *POLICIES, ZERO, HOURS)
