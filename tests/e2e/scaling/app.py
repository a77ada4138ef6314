"""A stack for each way in which an endpoint scales, with a front door to it."""

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import (
    Access,
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

LLAMA = Model.from_hub("NousResearch/Meta-Llama-3.1-8B-Instruct")
QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")


class ScalingStack(Stack):
    """A stack whose API anybody may call."""

    def __init__(self, app, name):
        super().__init__(app, name, env=Environment(account="123456789012", region="us-east-1"))

    def open_door(self, models, **options):
        FrontDoor(self, "Door", models=models, access=Access.public(), cloud_watch_role=False, **options)


class Instances(ScalingStack):
    """An endpoint with one or two instances, by the requests on each; an instance takes four."""

    def __init__(self, app):
        super().__init__(app, "Instances")
        options = TgiOptions(max_concurrent_requests=4)
        endpoint = TgiEndpoint(self, "Llama", model=LLAMA, instance_type=InstanceType.G5_2XLARGE, options=options)
        endpoint.auto_scale(max_instances=2).on_concurrency(target=2)
        self.open_door({"llama": endpoint})


class Scarce(ScalingStack):
    """Two instances of the first of several types that there is; requests that begin alike go to the same one."""

    def __init__(self, app):
        super().__init__(app, "Scarce")
        endpoint = TgiEndpoint(
            self,
            "Llama",
            model=LLAMA,
            instance_type=[InstanceType.G6_2XLARGE, InstanceType.G5_2XLARGE, InstanceType.G5_12XLARGE],
            instance_provision_timeout=Duration.minutes(20),
            instance_count=2,
            routing=Routing.prefix_aware(shared_bytes=1024, threshold=8),
        )
        self.open_door({"llama": endpoint})


ZERO = ScaleToZero(idle=Duration.minutes(15))


class Zero(ScalingStack):
    """A model that goes to zero copies after fifteen minutes, and keeps the clients that wake it."""

    def __init__(self, app):
        super().__init__(app, "Zero")
        instance = InstanceType.G5_2XLARGE
        endpoint = TgiEndpoint(self, "Llama", model=QWEN, instance_type=instance, scale_to_zero=ZERO)
        self.open_door({"llama": endpoint}, on_wake="hold")


class Fleet(ScalingStack):
    """Three models on one instance with four GPUs: the container of the last one does not start."""

    def __init__(self, app):
        super().__init__(app, "Fleet")
        models = {
            "chat": FleetModel(model=QWEN, copies=(1, 2), concurrency_target=2),
            "night": FleetModel(model=QWEN, scale_to_zero=ZERO),
            "broken": FleetModel(model=QWEN, environment={"TOY_TOKENS_PER_SECOND": "soon"}),
        }
        fleet = ModelFleet(self, "Models", models=models, instance_type=InstanceType.G5_12XLARGE)
        self.open_door(fleet.models, wake=True)


app = App()
Instances(app)
Scarce(app)
Zero(app)
Fleet(app)
app.synth()
