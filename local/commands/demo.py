"""`demo`: deploys a stack and sends it one prompt in three ways."""

from __future__ import annotations

import itertools
import json
import shlex
import time
from typing import TYPE_CHECKING, Any

import aiohttp

from local.session import deployed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from local.cloud import Cloud
    from local.commands.progress import Progress
    from local.deployment.deployed_stack import DeployedResource

PROMPT = "What is deep learning?"
MAX_NEW_TOKENS = 80
# Of a type with more resources than this (methods, gateway responses …) only their number is shown.
ONE_BY_ONE = 4


class StreamBrokeOffError(Exception):
    """An error event instead of the next token, such as for a prompt that is longer than the model takes."""


async def demo(progress: Progress, *, stack: str, prompt: str | None = None, context: Sequence[str] = ()) -> int:
    """Deploys, shows what was deployed, sends the prompt, and leaves nothing running.

    Args:
        progress: Where it is shown.
        stack: The names of stacks of app.py, separated by commas; the API of the last one that has one is called.
        prompt: What to send; a question by default.
        context: Further CDK context for the app, each as `key=value`.

    Returns:
        0 if all three calls were answered as they should be, else 1.
    """
    started = time.monotonic()
    text = prompt or PROMPT
    async with deployed(stack, progress, context=context, log=lambda _: None) as cloud:
        _show_deployment(progress, cloud)
        async with aiohttp.ClientSession() as session:
            models = await cloud.models()
            calls = _calls(text, models)
            answered = [await _show_call(progress, session, cloud, *call) for call in calls]
    progress.say()
    if not all(answered):
        progress.say("A call was not answered as it should be, see above.", style="bold red")
        return 1
    progress.say(f"Done in {time.monotonic() - started:.0f} s; nothing is left running.", style="bold green")
    progress.say(f"Keep it running with `make serve`; deploy it to AWS with `make deploy STACK={stack}`.")
    return 0


def _calls(prompt: str, models: list[str]) -> list[tuple[str, str, dict[str, Any]]]:
    """What is sent to the first of the models, which TGI's routes name in their path where there are several."""
    model = models[0]
    prefix = f"/models/{model}" if len(models) > 1 else ""
    parameters = {"max_new_tokens": MAX_NEW_TOKENS}
    chat = {"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": MAX_NEW_TOKENS}
    return [
        ("TGI, in one piece", f"{prefix}/generate", {"inputs": prompt, "parameters": parameters}),
        ("TGI, token by token", f"{prefix}/generate_stream", {"inputs": prompt, "parameters": parameters}),
        ("OpenAI chat, token by token", "/v1/chat/completions", {**chat, "stream": True}),
    ]


def _show_deployment(progress: Progress, cloud: Cloud) -> None:
    deployment = cloud.deployment
    progress.say()
    progress.say(f"{deployment.stack}: {len(deployment.resources)} resources", style="bold")
    width = max(len(entry.type) for entry in deployment.resources)
    by_type = itertools.groupby(sorted(deployment.resources, key=_type_and_id), key=lambda entry: entry.type)
    for kind, entries in ((kind, list(entries)) for kind, entries in by_type):
        if len(entries) > ONE_BY_ONE:
            progress.say(f"  {kind:{width}}  {len(entries)} of them")
            continue
        for entry in entries:
            progress.say(f"  {kind:{width}}  {entry.physical_id or f'{entry.logical_id} (in the template only)'}")
    progress.say(
        "  In the template only: the emulated control plane keeps no id of these; the gateway reads them there.",
        style="dim",
    )
    for endpoint in deployment.called_endpoints():
        model = endpoint.environment.get("HF_MODEL_ID", "")
        progress.say(f"Endpoint {endpoint.name}: {model} on {endpoint.instance_type}, {endpoint.image}")
    progress.say("No GPU here: a toy generator that speaks TGI's protocol stands in for the model.", style="yellow")


def _type_and_id(entry: DeployedResource) -> tuple[str, str]:
    return entry.type, entry.logical_id


async def _show_call(
    progress: Progress, session: aiohttp.ClientSession, cloud: Cloud, title: str, path: str, body: dict[str, Any]
) -> bool:
    url, text = f"{cloud.url}{path}", json.dumps(body, ensure_ascii=False)
    progress.say()
    progress.say(f"{title}: POST {path}", style="bold")
    progress.say(
        f"curl -N {url} {cloud.caller.curl()} -H 'Content-Type: application/json' -d {shlex.quote(text)}",
        style="dim",
    )
    data = text.encode()
    headers = cloud.caller.headers("POST", url, data, **{"Content-Type": "application/json"})
    sent = time.monotonic()
    async with session.post(url, data=data, headers=headers) as answer:
        if answer.status != 200:
            progress.say(f"HTTP {answer.status}: {await answer.text()}", style="red")
            return False
        count, first = 0, 0.0
        try:
            async for token in _tokens(answer):
                first = first or time.monotonic() - sent
                count += 1
                progress.write(token, style="cyan")
        except StreamBrokeOffError as error:
            progress.say(f"The stream broke off: {error}", style="red")
            return False
    progress.say()
    took = time.monotonic() - sent
    came = f"{count} pieces, the first after {first * 1000:.0f} ms, all" if count > 1 else "one piece,"
    progress.say(f"({came} in {took:.1f} s)", style="dim")
    return count > 0


async def _tokens(answer: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """The texts of an answer as they arrive: TGI's in one piece, TGI's events, or OpenAI's chunks."""
    if answer.content_type != "text/event-stream":
        told = await answer.json()
        yield (told[0] if isinstance(told, list) else told)["generated_text"]
        return
    async for line in answer.content:
        data = line.removeprefix(b"data:").strip()
        if not line.startswith(b"data:") or data == b"[DONE]":
            continue
        event = json.loads(data)
        if "error" in event:
            raise StreamBrokeOffError(event["error"])
        if "token" in event:
            if not event["token"]["special"]:
                yield event["token"]["text"]
        elif event["choices"]:
            yield event["choices"][0]["delta"].get("content") or ""
