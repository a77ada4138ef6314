"""LoRA adapters that are loaded while vLLM serves: its own routes, and those of SageMaker's adapter components."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from local.model_container.openai.answers import plain_response
from local.model_container.openai.bodies import read_json
from local.model_container.openai.engine import Engine
from local.model_container.openai.errors import ApiError, bad_request

_ABSENT = "none"  # the toy loads nothing: it finds no adapter in a folder of this name


async def load(http: web.Request, engine: Engine) -> web.Response:
    """POST /v1/load_lora_adapter."""
    body = await read_json(http)
    _add(engine, body["lora_name"], body["lora_path"])
    return plain_response(f"Success: LoRA adapter '{body['lora_name']}' added successfully.")


async def unload(http: web.Request, engine: Engine) -> web.Response:
    """POST /v1/unload_lora_adapter."""
    name = (await read_json(http))["lora_name"]
    _remove(engine, name)
    return plain_response(f"Success: LoRA adapter '{name}' removed successfully.")


async def register(http: web.Request, engine: Engine) -> web.Response:
    """POST /adapters."""
    body: Any = await read_json(http)
    for member in ("name", "src"):
        if member not in body:
            problem = {"type": "missing", "loc": [member], "msg": "Field required", "input": body}
            raise bad_request(json.dumps([problem], separators=(",", ":")))
    _add(engine, body["name"], body["src"])
    return plain_response(f"Adapter {body['name']} registered")


async def unregister(http: web.Request, engine: Engine) -> web.Response:
    """DELETE /adapters/{name}."""
    name = http.path.removeprefix("/adapters/")
    _remove(engine, name)
    return plain_response(f"Adapter {name} unregistered")


def _add(engine: Engine, name: str, path: str) -> None:
    if name in engine.adapters:
        raise ApiError(
            f"The lora adapter '{name}' has already been loaded. If you want to load the adapter in place, set "
            "'load_inplace' to True.",
            kind="InvalidUserInput",
        )
    if path.rpartition("/")[2] == _ABSENT:
        raise ApiError(f"Loading lora {name} failed: No adapter found for {path}", status=404, kind="NotFoundError")
    engine.adapters[name] = path


def _remove(engine: Engine, name: str) -> None:
    if name not in engine.adapters:
        raise ApiError(f"The lora adapter '{name}' cannot be found.", status=404, kind="NotFoundError")
    del engine.adapters[name]
