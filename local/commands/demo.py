"""`demo`: deploys a stack, sends it a prompt in each way that its model speaks, and shows the answer."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

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


class CallFailedError(Exception):
    """The response has another status than 200, or the stream an error event, for example for too long a prompt."""


class Call(NamedTuple):
    """A request of the demo."""

    title: str
    path: str
    body: dict[str, Any]


async def demo(
    progress: Progress, *, stack: str, prompt: str | None = None, context: Sequence[str] = (), verbose: bool = False
) -> int:
    """Deploys the stacks, sends the prompt in the ways that the model speaks, shows the last answer, stops everything.

    Args:
        progress: Shows the steps and the responses.
        stack: Names of stacks of app.py, separated by commas. The API of the last stack that has one is called.
        prompt: The prompt. Default: a question.
        context: Additional CDK context values, each as `key=value`.
        verbose: List the resources, and show the command and the response of each call.

    Returns:
        0 if all calls succeeded, else 1.
    """
    started = time.monotonic()
    text = prompt or PROMPT
    async with deployed(stack, progress, context=context, log=lambda _: None) as cloud:
        _show_deployment(progress, cloud, verbose=verbose)
        models = await cloud.models()
        *checks, last = build_calls(text, models, engine=cloud.deployment.endpoint_entries()[0]["engine"])
        async with aiohttp.ClientSession() as session:
            if verbose:
                succeeded = [await show_call(progress, session, cloud, call) for call in checks]
            else:
                succeeded = await asyncio.gather(*(check_call(progress, session, cloud, call) for call in checks))
            progress.print()
            progress.print(text, style="bold")
            succeeded.append(await show_answer(progress, session, cloud, last, verbose=verbose))
    if not all(succeeded):
        progress.print("A call failed, see above.", style="bold red")
        return 1
    progress.print(
        f"Done in {time.monotonic() - started:.0f} s; nothing is left running. `make serve` keeps it running,"
        f" `make deploy STACK={stack}` deploys it to AWS.",
        style="dim",
    )
    return 0


_COMPLETE_PROMPTS = ("tgi", "tgi-neuron", "vllm", "lmi")
"""The engines for which TGI's routes answer."""


def build_calls(prompt: str, models: list[str], *, engine: str) -> list[Call]:
    """The calls, to the first model.

    Args:
        prompt: The prompt.
        models: The names of the models. With several, TGI's paths contain that of the first.
        engine: What the first one runs on; SGLang, and maybe a container of one's own, answers chats alone.
    """
    model = models[0]
    prefix = f"/models/{model}" if len(models) > 1 else ""
    parameters = {"max_new_tokens": MAX_NEW_TOKENS}
    chat = {"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": MAX_NEW_TOKENS}
    if engine not in _COMPLETE_PROMPTS:
        return [
            Call("OpenAI chat, non-streaming", "/v1/chat/completions", chat),
            Call("OpenAI chat, streaming", "/v1/chat/completions", {**chat, "stream": True}),
        ]
    return [
        Call("TGI, non-streaming", f"{prefix}/generate", {"inputs": prompt, "parameters": parameters}),
        Call("TGI, streaming", f"{prefix}/generate_stream", {"inputs": prompt, "parameters": parameters}),
        Call("OpenAI chat, streaming", "/v1/chat/completions", {**chat, "stream": True}),
    ]


def _show_deployment(progress: Progress, cloud: Cloud, *, verbose: bool) -> None:
    deployment = cloud.deployment
    services = Counter(entry.type.split("::")[1] for entry in deployment.resources)
    counts = ", ".join(f"{count} {service}" for service, count in services.most_common())
    hint = "" if verbose else "; VERBOSE=1 lists them"
    progress.done(f"{deployment.stack}: {len(deployment.resources)} resources ({counts}){hint}")
    if verbose:
        _list_resources(progress, deployment.resources)
    served = {str(entry["endpoint_name"]): entry.get("model_id") for entry in deployment.endpoint_entries()}
    for endpoint in deployment.called_endpoints():
        for instance_type, container in endpoint.placements():
            # The models of a fleet share an endpoint; the variable is not every engine's.
            model = container.environment.get("HF_MODEL_ID") or served.get(endpoint.name) or "a model"
            image = f", {container.image}" if verbose else ""
            progress.done(f"Endpoint {endpoint.name}: {model} on {instance_type}{image}")


def _list_resources(progress: Progress, resources: Sequence[DeployedResource]) -> None:
    width = max(len(entry.type) for entry in resources)
    by_type = itertools.groupby(sorted(resources, key=_type_and_id), key=lambda entry: entry.type)
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


def _type_and_id(entry: DeployedResource) -> tuple[str, str]:
    return entry.type, entry.logical_id


async def check_call(progress: Progress, session: aiohttp.ClientSession, cloud: Cloud, call: Call) -> bool:
    """Sends a request and shows that it succeeded, or why it failed."""
    try:
        with progress.step(f"{call.title}: POST {call.path}"):
            return bool([text async for text in send(session, cloud, call)])
    except CallFailedError as error:
        progress.print(str(error), style="red")
        return False


async def show_call(progress: Progress, session: aiohttp.ClientSession, cloud: Cloud, call: Call) -> bool:
    """Sends a request, shows the request and the text of the response; False if it failed."""
    progress.print()
    progress.print(f"{call.title}: POST {call.path}", style="bold")
    return await show_answer(progress, session, cloud, call, verbose=True)


async def show_answer(
    progress: Progress, session: aiohttp.ClientSession, cloud: Cloud, call: Call, *, verbose: bool = False
) -> bool:
    """Sends a request and shows the text of the response as it arrives; False if it failed.

    Args:
        progress: Shows it.
        session: Sends the request.
        cloud: The emulated cloud.
        call: The request.
        verbose: Show the request as a curl command.
    """
    if verbose:
        progress.print(cloud.client.curl_command(f"{cloud.url}{call.path}", call.body), style="dim")
    sent = time.monotonic()
    count, first = 0, 0.0
    try:
        async for text in send(session, cloud, call):
            first = first or time.monotonic() - sent
            count += 1
            progress.write(text, style="cyan")
    except CallFailedError as error:
        progress.print(str(error), style="red")
        return False
    progress.print()
    chunks = f"{count} chunks, first after {first * 1000:.0f} ms" if count > 1 else "one response"
    progress.print(
        f"({call.title}: {chunks}, {time.monotonic() - sent:.1f} s; a toy replaces the model)",
        style="dim",
    )
    return count > 0


async def send(session: aiohttp.ClientSession, cloud: Cloud, call: Call) -> AsyncIterator[str]:
    """Sends a request; yields the texts of the response as they arrive.

    Raises:
        CallFailedError: The response is an error, or becomes one.
    """
    url, data = f"{cloud.url}{call.path}", json.dumps(call.body, ensure_ascii=False).encode()
    headers = cloud.client.headers("POST", url, data, **{"Content-Type": "application/json"})
    async with session.post(url, data=data, headers=headers) as response:
        if response.status != 200:
            raise CallFailedError(f"HTTP {response.status}: {await response.text()}")
        async for text in _texts(response):
            yield text


async def _texts(response: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """The texts of a response as they arrive: of TGI's or OpenAI's JSON, TGI's events, or OpenAI's chunks."""
    if response.content_type != "text/event-stream":
        body = await response.json()
        first = body[0] if isinstance(body, list) else body
        yield first["choices"][0]["message"]["content"] if "choices" in first else first["generated_text"]
        return
    async for line in response.content:
        data = line.removeprefix(b"data:").strip()
        if not line.startswith(b"data:") or data == b"[DONE]":
            continue
        event = json.loads(data)
        if "error" in event:
            raise CallFailedError(f"The stream ended with an error: {event['error']}")
        if "token" in event:
            if not event["token"]["special"]:
                yield event["token"]["text"]
        elif event["choices"]:
            yield event["choices"][0]["delta"].get("content") or ""
