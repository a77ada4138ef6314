"""A model on two engines, one of them with two variants, whose requests are copied to a third endpoint.

In front of the same endpoints is a second front door, at which one engine takes over from the other.
"""

from aws_cdk import App, Environment, Stack

from constructs_lib import Access, Fallback, FrontDoor, InstanceType, Mirror, Model, Split, TgiEndpoint, VllmEndpoint

QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")

app = App()
stack = Stack(app, "Routed", env=Environment(account="123456789012", region="us-east-1"))
tgi = TgiEndpoint(stack, "Tgi", model=QWEN, instance_type=InstanceType.G5_2XLARGE, detailed_observability=False)
tgi.add_variant("trial", weight=0)
vllm, copy = (
    VllmEndpoint(stack, name, model=QWEN, instance_type=InstanceType.G5_2XLARGE, detailed_observability=False)
    for name in ("Vllm", "Copy")
)
model = Mirror(Split({tgi: 1, vllm: 1}), to=copy, percent=100)
door = FrontDoor(stack, "Door", models={"qwen": model}, access=Access.public(), cloud_watch_role=False)
door.add_smoke_test()
chain = Stack(app, "Chain", env=Environment(account="123456789012", region="us-east-1"))
models = {"qwen": Fallback([tgi, vllm])}
FrontDoor(chain, "Door", models=models, access=Access.public(), cloud_watch_role=False)
app.synth()
