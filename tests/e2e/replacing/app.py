"""An endpoint whose instance type is in the context, with scaling and a front door."""

from aws_cdk import App, DefaultStackSynthesizer, Environment, Stack

from constructs_lib import Access, FrontDoor, InstanceType, Model, TgiEndpoint

app = App()
# Without the parameter of the bootstrap's version, which moto does not keep when a stack is updated.
stack = Stack(
    app,
    "Replacing",
    env=Environment(account="123456789012", region="us-east-1"),
    synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
)
endpoint = TgiEndpoint(
    stack,
    "Llama",
    model=Model.from_hub("NousResearch/Meta-Llama-3.1-8B-Instruct"),
    instance_type=InstanceType.named(app.node.get_context("instance")),
    replace_on_instance_type_change=True,
)
scaling = endpoint.auto_scale(max_instances=2)
scaling.on_concurrency(target=2)
scaling.on_schedule("mon-fri 08:00-19:00", time_zone="Europe/Berlin", minimum=2)
FrontDoor(stack, "Door", models={"llama": endpoint}, access=Access.public(), cloud_watch_role=False)
app.synth()
