"""An agent that looks things up with two tools before it answers, streamed, in a limited number of turns.

    python client.py --url "$URL" --key "$KEY" "What is the status of order 1042?"

The answer goes to standard output as it comes, the calls of tools and their results to standard error. The status is 0
if there is an answer, 1 if there is none within --max-turns, 2 if something is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

import openai
from agents import (
    Agent,
    MaxTurnsExceeded,
    ModelBehaviorError,
    ModelSettings,
    OpenAIChatCompletionsModel,
    Runner,
    set_tracing_disabled,
)
from agents.stream_events import RawResponsesStreamEvent, RunItemStreamEvent
from openai.types.responses import ResponseTextDeltaEvent
from tools import delivery_days, order_status

INSTRUCTIONS = (
    "You answer customers of a shop for lamps. Look up what you can with the tools, and say nothing of an order that"
    " the tools did not tell you."
)


async def run(url: str, key: str, name: str | None, question: str, *, max_turns: int, max_tokens: int) -> None:
    """Stream the answer to a question.

    Args:
        url: The front door's URL.
        key: An API key.
        name: A model of the front door; None for the first that it lists.
        question: The question.
        max_turns: How often the model may be asked.
        max_tokens: The longest answer of a turn.

    Raises:
        MaxTurnsExceeded: The model still calls tools after so many turns.
        ModelBehaviorError: It calls a tool that there is not, or with arguments that are no JSON.
        openai.OpenAIError: The front door does not answer, or refuses the request.
    """
    async with openai.AsyncOpenAI(base_url=f"{url.rstrip('/')}/v1", api_key=key) as client:
        if name is None:
            name = (await client.models.list()).data[0].id
        agent = Agent(
            name="support",
            instructions=INSTRUCTIONS,
            model=OpenAIChatCompletionsModel(model=name, openai_client=client),
            model_settings=ModelSettings(max_tokens=max_tokens, temperature=0),
            tools=[order_status, delivery_days],
        )
        result = Runner.run_streamed(agent, question, max_turns=max_turns)
        async for event in result.stream_events():
            show(event)
        sys.stdout.write("\n")


def show(event: object) -> None:
    """Show a piece of the answer, a call of a tool, or its result."""
    if isinstance(event, RawResponsesStreamEvent) and isinstance(event.data, ResponseTextDeltaEvent):
        sys.stdout.write(event.data.delta)
        sys.stdout.flush()
    elif isinstance(event, RunItemStreamEvent) and event.name == "tool_called":
        sys.stderr.write(f"→ {event.item.raw_item.name}({event.item.raw_item.arguments})\n")
    elif isinstance(event, RunItemStreamEvent) and event.name == "tool_output":
        sys.stderr.write(f"← {event.item.output}\n")


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description="Let an agent with two tools answer a question.")
    parser.add_argument("--url", default=os.environ.get("URL"), help="the front door's URL (default: $URL)")
    parser.add_argument("--key", default=os.environ.get("KEY"), help="an API key (default: $KEY)")
    parser.add_argument("--model", help="a model of the front door (default: the first that it lists)")
    parser.add_argument("--max-turns", type=int, default=6, help="how often the model may be asked (default: 6)")
    parser.add_argument("--max-tokens", type=int, default=512, help="the longest answer of a turn (default: 512)")
    parser.add_argument("question", metavar="QUESTION")
    given = parser.parse_args()
    for option in ("url", "key"):
        if not getattr(given, option):
            parser.error(f"--{option} is required, or the variable {option.upper()}")
    if given.max_turns < 1:
        parser.error(f"--max-turns {given.max_turns}: must be at least 1")
    return given


def main() -> int:
    """Answer, and return the exit status."""
    given = arguments()
    # The library would send what was said to OpenAI.
    set_tracing_disabled(True)
    limits = {"max_turns": given.max_turns, "max_tokens": given.max_tokens}
    try:
        asyncio.run(run(given.url, given.key, given.model, given.question, **limits))
    except MaxTurnsExceeded:
        sys.stderr.write(f"The model still calls tools after --max-turns {given.max_turns}: no answer.\n")
        return 1
    except openai.APIConnectionError as error:
        sys.stderr.write(f"\n{given.url} does not answer: {error.__cause__ or error}\n")
        return 2
    except (openai.OpenAIError, ModelBehaviorError) as error:
        sys.stderr.write(f"\n{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
