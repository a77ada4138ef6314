"""An app of a platform team: two models for several teams, each with the models, tokens and streams that it pays for.

README.md says how to run and deploy it.
"""

from __future__ import annotations

import os

from aws_cdk import App, CfnOutput, Environment, Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_lib import FrontDoor, InstanceType, Model, TgiEndpoint, TgiOptions


class TeamBudgets(Stack):
    """A small model for everybody and a large one for those who need it; neither requires a hub token."""

    def __init__(self, scope: Construct, id: str, *, env: Environment) -> None:
        super().__init__(scope, id, env=env)
        limits = TgiOptions(max_input_tokens=7_000, max_total_tokens=8_192)
        small = TgiEndpoint(
            self,
            "Small",
            model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
            instance_type=InstanceType.G6E_XLARGE,
            options=limits,
            detailed_observability=False,
        )
        large = TgiEndpoint(
            self,
            "Large",
            model=Model.from_hub("Qwen/Qwen2.5-32B-Instruct"),
            instance_type=InstanceType.G6E_12XLARGE,
            options=limits,
            detailed_observability=False,
        )
        front_door = FrontDoor(
            self,
            "Api",
            models={"small": small, "large": large},
            # What a request reserves that asks for nothing: a budget is for as many more requests.
            default_max_tokens=512,
            # A budget here is what a team has paid for, and not only a protection.
            on_store_failure="closed",
        )

        # Its own service reads the key. "2026-11" is being replaced: once no client sends it, it is removed here.
        search = front_door.add_consumer(
            "search",
            rate=20,
            burst=40,
            tokens_per_minute=60_000,
            tokens_per_month=200_000_000,
            concurrent_streams=16,
            keys=("2026-11", "2027-01"),
        )
        # ECS tasks of this account alone, as the ECS guide has it (Amazon ECS task IAM role).
        here = {"StringEquals": {"aws:SourceAccount": self.account}}
        ecs_tasks = iam.ServicePrincipal("ecs-tasks.amazonaws.com", conditions=here)
        search.grant_read_keys(iam.Role(self, "SearchService", assumed_by=ecs_tasks))

        # The small model, as much as a day has for it, four requests at a time.
        front_door.add_consumer(
            "newsletter", models=["small"], tokens_per_day=3_000_000, concurrent_streams=4, keys=("2026-11",)
        )
        # To try things out: a bug in a loop costs a day's budget, and no more.
        trials = front_door.add_consumer(
            "trials", models=["small"], rate=2, burst=4, tokens_per_minute=10_000, tokens_per_day=100_000
        )

        topic = sns.Topic(self, "Alarms", enforce_ssl=True)
        # After the consumers, as one of its alarms is about their limits.
        front_door.monitor(topic=topic)
        CfnOutput(self, "Url", value=front_door.url)
        CfnOutput(self, "TrialsKeyId", value=trials.key_id)


app = App()
budgets = TeamBudgets(app, "TeamBudgets", env=Environment(region=os.environ.get("CDK_DEFAULT_REGION")))
Tags.of(budgets).add("team", "platform")
app.synth()
