"""An endpoint and a front door, whose smoke test has little time."""

from aws_cdk import App, DefaultStackSynthesizer, Duration, Environment, Stack

from constructs_lib import Access, FrontDoor, InstanceType, Model, TgiEndpoint

app = App()
stack = Stack(
    app,
    "Impatient",
    env=Environment(account="123456789012", region="us-east-1"),
    synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
)
endpoint = TgiEndpoint(
    stack,
    "Llama",
    model=Model.from_hub("NousResearch/Meta-Llama-3.1-8B-Instruct"),
    instance_type=InstanceType.G5_2XLARGE,
    detailed_observability=False,
)
door = FrontDoor(stack, "Door", models={"llama": endpoint}, access=Access.public(), cloud_watch_role=False)
door.add_smoke_test(timeout=Duration.seconds(10))
app.synth()
