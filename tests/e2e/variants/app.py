"""A stack whose endpoint has three variants, of which one scales, with a front door to it."""

from aws_cdk import App, Environment, Stack

from constructs_lib import Access, FrontDoor, InstanceType, Model, TgiEndpoint, TgiOptions

app = App()
stack = Stack(app, "Variants", env=Environment(account="123456789012", region="us-east-1"))
endpoint = TgiEndpoint(
    stack,
    "Llama",
    model=Model.from_hub("NousResearch/Meta-Llama-3.1-8B-Instruct"),
    instance_type=InstanceType.G5_2XLARGE,
    variant_name="green",
    variant_weight=3,
)
FrontDoor(stack, "Door", models={"llama": endpoint}, access=Access.public(), cloud_watch_role=False)
short = TgiOptions(max_input_tokens=100, max_total_tokens=200)
blue = endpoint.add_variant("blue", weight=1, options=short, environment={"TOY_TOKENS_PER_SECOND": "20"})
blue.auto_scale(max_instances=2).on_concurrency(target=1)
endpoint.add_variant("trial", weight=0, instance_type=InstanceType.G6_2XLARGE)
app.synth()
