"""A stack with everything that monitors: a scaled endpoint and a model that goes to zero behind one front door."""

from aws_cdk import App, Environment, Stack

from constructs_lib import Access, FrontDoor, InstanceType, Model, ScaleToZero, TgiEndpoint, TgiOptions
from stacks.monitoring import Monitoring, add_monitoring

HERE = Environment(account="123456789012", region="us-east-1")


class Monitored(Stack):
    """The stack, whose API anybody may call."""

    def __init__(self, app):
        super().__init__(app, "Monitored", env=HERE)
        chosen = {
            "model": Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
            "instance_type": InstanceType.G6_XLARGE,
            "options": TgiOptions(max_input_tokens=1536, max_total_tokens=2048),
        }
        chat = TgiEndpoint(self, "Chat", **chosen)
        chat.auto_scale(max_instances=2).on_concurrency(target=2)
        night = TgiEndpoint(self, "Night", **chosen, scale_to_zero=ScaleToZero())
        front_door = FrontDoor(
            self, "Door", models={"chat": chat, "night": night}, access=Access.public(), cloud_watch_role=False
        )
        add_monitoring(self, Monitoring(alarm_email="team@example.com"), [chat, night, front_door])


app = App()
Monitored(app)
app.synth()
