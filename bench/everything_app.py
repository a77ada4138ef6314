"""Everything that scales in one stack, with both rule packs: what `bench.synth` compares with an empty stack."""

import gc

if __name__ == "__main__":
    gc.disable()  # as in app.py

from aws_cdk import App, CfnOutput, Duration, Stack, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from constructs_lib import (
    FleetModel,
    FrontDoor,
    InstanceType,
    Model,
    ModelFleet,
    Routing,
    ScaleToZero,
    TgiEndpoint,
    TgiOptions,
)

LIMITS = TgiOptions(max_input_tokens=7_000, max_total_tokens=8_192)

app = App()
stack = Stack(app, "Everything")

busy = TgiEndpoint(
    stack,
    "Busy",
    model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
    instance_type=[InstanceType.G6E_XLARGE, InstanceType.G6E_2XLARGE],
    options=LIMITS,
    routing=Routing.prefix_aware(shared_bytes=4096, threshold=16),
)
scaling = busy.auto_scale(min_instances=1, max_instances=4, request_tokens=2_000)
scaling.on_concurrency()
scaling.on_invocations(per_minute=120)
scaling.on_metric(busy.metric_gpu_utilization(), target=80)
scaling.on_schedule("mon-fri 08:00-19:00", time_zone="Europe/Berlin", minimum=2)

office = TgiEndpoint(
    stack,
    "Office",
    model=Model.from_hub("mistralai/Mistral-7B-Instruct-v0.3"),
    instance_type=InstanceType.G6_XLARGE,
    options=LIMITS,
    scale_to_zero=ScaleToZero.hours(
        "mon-fri 08:00-19:00", time_zone="Europe/Berlin", max_copies=2, request_tokens=2_000
    ),
)

fleet = ModelFleet(
    stack,
    "Fleet",
    instance_type=InstanceType.G6E_12XLARGE,
    instances=(1, 2),
    models={
        "chat": FleetModel(
            model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"), options=LIMITS, copies=(1, 3), request_tokens=2_000
        ),
        "code": FleetModel(
            model=Model.from_hub("Qwen/Qwen2.5-Coder-7B-Instruct"),
            options=LIMITS,
            scale_to_zero=ScaleToZero(idle=Duration.minutes(45)),
        ),
    },
)

front_door = FrontDoor(
    stack,
    "FrontDoor",
    models={"busy": busy, "office": office, **fleet.models},
    on_wake="hold",
    wake=True,
    playground=True,
)
front_door.add_consumer("Team", rate=10, burst=20)
for name, price in {
    "Busy": busy.describe_price(front_door_memory=front_door.memory_size),
    "Office": office.describe_price(front_door_memory=front_door.memory_size),
    "Fleet": fleet.describe_price(front_door_memory=front_door.memory_size),
}.items():
    CfnOutput(stack, f"{name}PricePerHour", value=price or "not published")

Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
app.synth()
gc.freeze()
