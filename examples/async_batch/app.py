"""An app for work that no client waits for: thousands of prompts at night, on instances that are there only for them.

README.md says how to run and deploy it; client.py sends the prompts.
"""

from __future__ import annotations

import os

from aws_cdk import Annotations, App, CfnOutput, Duration, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib import AsyncTgiEndpoint, InstanceType, Model, TgiOptions


class NightlyBatch(Stack):
    """A model on none to two instances, a bucket that forgets after a month, and a queue that is told of answers."""

    def __init__(self, scope: Construct, id: str, *, env: Environment) -> None:
        super().__init__(scope, id, env=env)
        # Prompts and answers in plain words: encrypted, for nobody else, and not for ever.
        bucket = s3.Bucket(
            self,
            "Data",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(expiration=Duration.days(30), abort_incomplete_multipart_upload_after=Duration.days(1))
            ],
        )
        results = sns.Topic(self, "Results")
        told = sqs.Queue(self, "Told", retention_period=Duration.days(4), enforce_ssl=True)
        results.add_subscription(subscriptions.SqsSubscription(told, raw_message_delivery=True))

        batch = AsyncTgiEndpoint(
            self,
            "Qwen",
            model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
            instance_type=InstanceType.G6E_XLARGE,
            bucket=bucket,
            success_topic=results,
            error_topic=results,
            options=TgiOptions(max_input_tokens=14_000, max_total_tokens=16_384),
            request_tokens=4_000,
            max_instances=2,
            detailed_observability=False,
        )
        batch.monitor(topic=sns.Topic(self, "Alarms"))
        Annotations.of(batch).acknowledge_warning(
            "tgi-endpoint:asyncKeepsInstanceType", "another type is another endpoint"
        )

        caller = iam.Role(self, "Caller", assumed_by=iam.AccountPrincipal(self.account))
        batch.grant_invoke_async(caller)
        told.grant_consume_messages(caller)

        CfnOutput(self, "EndpointName", value=batch.endpoint_name)
        CfnOutput(self, "InputUrl", value=batch.input_url)
        CfnOutput(self, "QueueUrl", value=told.queue_url)
        CfnOutput(self, "CallerRole", value=caller.role_arn)
        CfnOutput(self, "PricePerHour", value=batch.describe_price() or "not published")


app = App()
NightlyBatch(app, "NightlyBatch", env=Environment(region=os.environ.get("CDK_DEFAULT_REGION")))
app.synth()
