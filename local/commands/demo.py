"""`demo`: deploys a stack and sends it a prompt in three ways."""

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
# Resource types with more resources than this are shown as a count.
MAX_LISTED = 4


class StreamFailedError(Exception):
    """The stream has sent an error event, for example for a prompt that is too long."""


async def demo(progress: Progress, *, stack: str, prompt: str | None = None, context: Sequence[str] = ()) -> int:
    """Deploys the stacks, shows the resources, sends the prompt, and stops everything.

    Args:
        progress: Shows the steps and the responses.
        stack: Names of stacks of app.py, separated by commas. The API of the last stack that has one is called.
        prompt: The prompt. Default: a question.
        context: Additional CDK context values, each as `key=value`.

    Returns:
        0 if all three calls succeeded, else 1.
    """
    started = time.monotonic()
    text = prompt or PROMPT
    async with deployed(stack, progress, context=context, log=lambda _: None) as cloud:
        _show_deployment(progress, cloud)
        async with aiohttp.ClientSession() as session:
            models = await cloud.models()
            calls = build_calls(text, models)
            succeeded = [await show_call(progress, session, cloud, *call) for call in calls]
    progress.print()
    if not all(succeeded):
        progress.print("A call failed, see above.", style="bold red")
        return 1
    progress.print(f"Done in {time.monotonic() - started:.0f} s; nothing is left running.", style="bold green")
    progress.print(f"Keep it running with `make serve`; deploy it to AWS with `make deploy STACK={stack}`.")
    return 0


def build_calls(prompt: str, models: list[str]) -> list[tuple[str, str, dict[str, Any]]]:
    """Title, path and body of each call, to the first model. With several models, TGI's paths contain its name."""
    model = models[0]
    prefix = f"/models/{model}" if len(models) > 1 else ""
    parameters = {"max_new_tokens": MAX_NEW_TOKENS}
    chat = {"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": MAX_NEW_TOKENS}
    return [
        ("TGI, non-streaming", f"{prefix}/generate", {"inputs": prompt, "parameters": parameters}),
        ("TGI, streaming", f"{prefix}/generate_stream", {"inputs": prompt, "parameters": parameters}),
        ("OpenAI chat, streaming", "/v1/chat/completions", {**chat, "stream": True}),
    ]


def _show_deployment(progress: Progress, cloud: Cloud) -> None:
    deployment = cloud.deployment
    progress.print()
    progress.print(f"{deployment.stack}: {len(deployment.resources)} resources", style="bold")
    width = max(len(entry.type) for entry in deployment.resources)
    by_type = itertools.groupby(sorted(deployment.resources, key=_type_and_id), key=lambda entry: entry.type)
    for kind, entries in ((kind, list(entries)) for kind, entries in by_type):
        if len(entries) > MAX_LISTED:
            progress.print(f"  {kind:{width}}  {len(entries)} resources")
            continue
        for entry in entries:
            progress.print(f"  {kind:{width}}  {entry.physical_id or f'{entry.logical_id} (template only)'}")
    progress.print(
        "  Template only: the emulated control plane has no physical id for these; the gateway reads the template.",
        style="dim",
    )
    for endpoint in deployment.called_endpoints():
        model = endpoint.environment.get("HF_MODEL_ID", "")
        progress.print(f"Endpoint {endpoint.name}: {model} on {endpoint.instance_type}, {endpoint.image}")
    progress.print("No GPU here: a toy text generator with TGI's protocol replaces the model.", style="yellow")


def _type_and_id(entry: DeployedResource) -> tuple[str, str]:
    return entry.type, entry.logical_id


async def show_call(
    progress: Progress, session: aiohttp.ClientSession, cloud: Cloud, title: str, path: str, body: dict[str, Any]
) -> bool:
    """Sends a request, shows the request as a curl command and the text of the response; False if it failed."""
    url, text = f"{cloud.url}{path}", json.dumps(body, ensure_ascii=False)
    progress.print()
    progress.print(f"{title}: POST {path}", style="bold")
    progress.print(
        f"curl -N {url} {cloud.client.curl()} -H 'Content-Type: application/json' -d {shlex.quote(text)}",
        style="dim",
    )
    data = text.encode()
    headers = cloud.client.headers("POST", url, data, **{"Content-Type": "application/json"})
    sent = time.monotonic()
    async with session.post(url, data=data, headers=headers) as response:
        if response.status != 200:
            progress.print(f"HTTP {response.status}: {await response.text()}", style="red")
            return False
        count, first = 0, 0.0
        try:
            async for text in _texts(response):
                first = first or time.monotonic() - sent
                count += 1
                progress.write(text, style="cyan")
        except StreamFailedError as error:
            progress.print(f"The stream ended with an error: {error}", style="red")
            return False
    progress.print()
    seconds = time.monotonic() - sent
    chunks = f"{count} chunks, first after {first * 1000:.0f} ms" if count > 1 else "one response"
    progress.print(f"({chunks}, {seconds:.1f} s)", style="dim")
    return count > 0


async def _texts(response: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """The texts of a response as they arrive: TGI's JSON, TGI's events, or OpenAI's chunks."""
    if response.content_type != "text/event-stream":
        body = await response.json()
        yield (body[0] if isinstance(body, list) else body)["generated_text"]
        return
    async for line in response.content:
        data = line.removeprefix(b"data:").strip()
        if not line.startswith(b"data:") or data == b"[DONE]":
            continue
        event = json.loads(data)
        if "error" in event:
            raise StreamFailedError(event["error"])
        if "token" in event:
            if not event["token"]["special"]:
                yield event["token"]["text"]
        elif event["choices"]:
            yield event["choices"][0]["delta"].get("content") or ""
