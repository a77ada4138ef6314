"""The consumer and outputs of every stack with a front door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnOutput

from stacks.console import Console

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import CfnCondition, Stack

    from constructs_lib import Consumer, FrontDoor


def add_default_consumer(front_door: FrontDoor) -> Consumer:
    """Create the consumer whose key is in the outputs, with limits that keep the cost of a leaked key low.

    Args:
        front_door: The front door; its access method uses API keys.
    """
    return front_door.add_consumer("Default", rate=10, burst=20, monthly_requests=300_000)


def add_front_door_outputs(stack: Stack, console: Console, front_door: FrontDoor, consumer: Consumer) -> None:
    """Output the API's URL, and how to read a consumer's API key.

    Args:
        stack: The stack.
        console: The console of its Region.
        front_door: Its front door.
        consumer: The consumer.
    """
    key_id = consumer.key_id
    add_output(stack, "Url", front_door.url, "Base URL; OpenAI clients take it with /v1 appended")
    add_output(stack, "ApiKeyId", key_id, "Id of the API key, not the key itself")
    add_output(
        stack,
        "ApiKeyCommand",
        f"aws apigateway get-api-key --region {console.region} --include-value --query value --output text"
        f" --api-key {key_id}",
        "Prints the API key",
    )


def add_links(stack: Stack, console: Console, links: Mapping[str, tuple[str | None, str]]) -> None:
    """Output links into the AWS console, if the stack's partition has a public one.

    Args:
        stack: The stack.
        console: The console of its Region.
        links: Link and description by output name.
    """
    for name, (link, description) in links.items():
        if link is not None:
            add_output(stack, name, link, description, console.condition)


def add_output(stack: Stack, id: str, value: str, description: str, condition: CfnCondition | None = None) -> None:
    """Add an output to a stack.

    Args:
        stack: The stack.
        id: The output's name.
        value: Its value.
        description: Its description.
        condition: The condition under which it exists. Default: always.
    """
    CfnOutput(stack, id, value=value, description=description, condition=condition)
