"""What a stack with a front door tells the person who deploys it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnOutput

from stacks.console import Console

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import Stack

    from constructs_lib import Consumer, FrontDoor


def first_consumer(door: FrontDoor) -> Consumer:
    """The consumer whose key the outputs name: one to begin with, of which a leak would not be dear.

    Args:
        door: The front door, which asks for keys.
    """
    return door.add_consumer("Default", rate=10, burst=20, monthly_requests=300_000)


def add_door_outputs(stack: Stack, door: FrontDoor, consumer: Consumer) -> None:
    """Where the API is, and how to read its key.

    Args:
        stack: The stack.
        door: Its front door.
        consumer: The consumer whose key is named.
    """
    key_id = consumer.api_key.key_id
    output(stack, "Url", door.url, "Base URL; OpenAI clients take it with /v1 added")
    output(stack, "ApiKeyId", key_id, "Id of the API key, not the key")
    output(
        stack,
        "ApiKeyCommand",
        f"aws apigateway get-api-key --region {stack.region} --include-value --query value --output text"
        f" --api-key {key_id}",
        "Prints the API key",
    )


def add_links(stack: Stack, console: Console, links: Mapping[str, tuple[str | None, str]]) -> None:
    """Links into the AWS console, as far as the stack's partition has one.

    Args:
        stack: The stack.
        console: Its console.
        links: Link and description of each output.
    """
    for name, (link, description) in links.items():
        if link is not None:
            output(stack, name, link, description).condition = console.condition


def output(stack: Stack, id: str, value: str, description: str) -> CfnOutput:
    """One output.

    Args:
        stack: The stack.
        id: The output's name.
        value: Its value.
        description: What it is.
    """
    return CfnOutput(stack, id, value=value, description=description)
