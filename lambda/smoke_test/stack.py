"""The status of the stack that the test belongs to."""

import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

SECONDS = 60.0
"""How long to ask: a role that was created with the stack may act only after some seconds."""
PAUSE_SECONDS = 5.0


def stack_status(stack_id: str) -> str | None:
    """The status, such as UPDATE_ROLLBACK_IN_PROGRESS; None if it cannot be read.

    Args:
        stack_id: The stack's ARN.
    """
    config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
    client = boto3.client("cloudformation", config=config)
    until = time.time() + SECONDS
    while True:
        try:
            stacks = client.describe_stacks(StackName=stack_id)["Stacks"]
            return str(stacks[0]["StackStatus"]) if stacks else None
        except (BotoCoreError, ClientError):
            if time.time() + PAUSE_SECONDS > until:
                return None
            time.sleep(PAUSE_SECONDS)
