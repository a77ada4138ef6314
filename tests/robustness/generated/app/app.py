"""Two front doors with four consumers whose rates never throttle a test; a stack each, as one API is served at a time.

`OneModel` divides the callers of one model between two engines, so that paths without a model have one. One consumer
has no limits, one has limits that it never reaches, one may call some of the models, and one has hardly any tokens.
"""

from aws_cdk import App, Environment, Stack

from constructs_lib import (
    Cors,
    FrontDoor,
    InstanceType,
    LmiEndpoint,
    Model,
    SglangEndpoint,
    Split,
    TgiEndpoint,
    VllmEndpoint,
)

ENGINES = {"tgi": TgiEndpoint, "vllm": VllmEndpoint, "sglang": SglangEndpoint, "lmi": LmiEndpoint}
LIMITS = {"tokens_per_minute": 10**9, "tokens_per_day": 10**9, "tokens_per_month": 10**9, "concurrent_streams": 1000}
RATE, BURST = 10_000, 5_000


class HostileStack(Stack):
    """A front door to endpoints of these engines."""

    def __init__(self, app, name, *engines, divided=False):
        super().__init__(app, name, env=Environment(account="123456789012", region="us-east-1"))
        endpoints = {engine: self._endpoint(engine) for engine in engines}
        models = {"qwen": Split(dict.fromkeys(endpoints.values(), 1))} if divided else endpoints
        cors = Cors(allowed_origins=["https://app.example"])
        limits = {"rate_limit": RATE, "burst_limit": BURST}
        door = FrontDoor(
            self,
            "Door",
            models=models,
            default_max_tokens=16,
            count_tokens=list(models),
            cors=cors,
            cloud_watch_role=False,
            **limits,
        )
        rates = {"rate": RATE, "burst": BURST}
        door.add_consumer("team-a", **rates)
        door.add_consumer("team-b", **rates, **LIMITS)
        door.add_consumer("team-c", **rates, models=list(models)[:2])
        door.add_consumer("team-d", **rates, tokens_per_day=500)

    def _endpoint(self, engine):
        model, instance_type = Model.from_hub("Qwen/Qwen2.5-7B-Instruct"), InstanceType.G5_2XLARGE
        return ENGINES[engine](self, engine, model=model, instance_type=instance_type, detailed_observability=False)


app = App()
HostileStack(app, "OneModel", "tgi", "vllm", divided=True)
HostileStack(app, "ManyModels", *ENGINES)
app.synth()
