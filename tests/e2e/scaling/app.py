"""A stack for each way in which an endpoint scales, with a front door to it."""

from aws_cdk import App, Environment, Stack

from constructs_lib import Access, FrontDoor, InstanceType, Model, TgiEndpoint, TgiOptions

LLAMA = Model.from_hub("NousResearch/Meta-Llama-3.1-8B-Instruct")


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


app = App()
Instances(app)
app.synth()
