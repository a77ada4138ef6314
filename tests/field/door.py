"""Cases of the kind `door`: a request to the front door's function, with the emulated TGI container behind it."""

from __future__ import annotations

import atexit
import json
import os
import re
from contextlib import ExitStack
from functools import cache
from typing import Any
from unittest.mock import patch

from tests.conformance.emulated_front_door import FrontDoorClient, Response, start_front_door

_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}


def deviations(case: dict[str, Any]) -> list[str]:
    """How the response differs from what is expected."""
    body = None if "body" not in case else json.dumps(_expanded(case["body"]))
    headers = {"Content-Type": "application/json", **case.get("headers", {})}
    with patch.dict(os.environ, _CREDENTIALS):
        response = _client().request(case["method"], case["path"], body, **headers)
    text, expect = response.body.decode(), case["expect"]
    found = []
    if response.status not in expect["status"]:
        found.append(f"status {response.status}, not {expect['status']}: {text[:300]}")
    if "contains" in expect and not re.search(expect["contains"], text):
        found.append(f"no {expect['contains']!r} in {text[:600]}")
    if "lacks" in expect and re.search(expect["lacks"], text):
        found.append(f"{expect['lacks']!r} in {text[:600]}")
    if "content_is_json" in expect and not _content_is_json(response):
        found.append(f"the content is not a JSON object: {text[:600]}")
    return found


@cache
def _client() -> FrontDoorClient:
    """A front door with one model, `llama`, for all cases of the process."""
    stack = ExitStack()
    atexit.register(stack.close)
    with patch.dict(os.environ, _CREDENTIALS):
        return stack.enter_context(start_front_door("llama"))


def _expanded(value: Any) -> Any:
    """The value with long texts written out: `{"repeat": "word ", "times": 5000}` stands for one."""
    if isinstance(value, dict):
        if value.keys() == {"repeat", "times"}:
            return value["repeat"] * value["times"]
        return {key: _expanded(item) for key, item in value.items()}
    return [_expanded(item) for item in value] if isinstance(value, list) else value


def _content_is_json(response: Response) -> bool:
    content = response.json()["choices"][0]["message"]["content"]
    try:
        return isinstance(json.loads(content), dict)
    except ValueError:
        return False
