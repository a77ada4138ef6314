"""Unusual and invalid bodies, as JSON text or bytes, and valid ones to build them from."""

from __future__ import annotations

import json
from typing import Any

from front_door.routes import ROUTES

POST_PATHS = [route.path.replace("{model}", "llama") for route in ROUTES if route.request is not None]

GENERATE: dict[str, Any] = {
    "inputs": "Hello",
    "parameters": {
        "best_of": 1,
        "temperature": 0.5,
        "repetition_penalty": 1.03,
        "frequency_penalty": 0.1,
        "top_k": 10,
        "top_p": 0.95,
        "typical_p": 0.95,
        "do_sample": True,
        "max_new_tokens": 20,
        "return_full_text": False,
        "stop": ["photographer"],
        "truncate": None,
        "watermark": True,
        "details": True,
        "decoder_input_details": False,
        "seed": 1,
        "top_n_tokens": 5,
        "grammar": {"type": "json", "value": {"properties": {"a": {"type": "string"}}}},
        "adapter_id": None,
    },
    "stream": False,
}
FUNCTION = {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}
CHAT: dict[str, Any] = {
    "model": "llama",
    "messages": [
        {"role": "system", "content": "Be brief.", "name": "s"},
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
        {"role": "assistant", "content": "Hi", "tool_calls": []},
        {"role": "user", "content": "Again"},
    ],
    "frequency_penalty": 0.1,
    "logit_bias": {},
    "logprobs": True,
    "top_logprobs": 2,
    "max_tokens": 20,
    "n": 1,
    "presence_penalty": 0,
    "stop": ["x"],
    "stream": False,
    "stream_options": None,
    "seed": 1,
    "temperature": 0.5,
    "top_p": 0.9,
    "tools": [{"type": "function", "function": FUNCTION}],
    "tool_choice": "auto",
    "response_format": {"type": "text"},
    "user": "u",
}
COMPLETION: dict[str, Any] = {
    "model": "llama",
    "prompt": "Hello",
    "max_tokens": 20,
    "temperature": 0.5,
    "top_p": 0.9,
    "n": 1,
    "stream": False,
    "logprobs": None,
    "echo": False,
    "stop": ["x"],
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "best_of": 1,
    "seed": 1,
    "suffix": None,
    "user": "u",
}
RESPONSE: dict[str, Any] = {
    "model": "llama",
    "instructions": "Be brief.",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "done"},
        {"role": "developer", "content": "Go on."},
    ],
    "max_output_tokens": 20,
    "temperature": 0.5,
    "top_p": 0.9,
    "tools": [{"type": "function", "strict": False, **FUNCTION}],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "text": {"format": {"type": "text"}, "verbosity": "low"},
    "include": ["message.output_text.logprobs"],
    "top_logprobs": 2,
    "reasoning": {"effort": "low"},
    "truncation": "disabled",
    "store": False,
    "metadata": {"a": "b"},
    "stream": False,
    "user": "u",
}
COUNT: dict[str, Any] = {
    "model": "llama",
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral"}}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                {"type": "text", "text": "Hi"},
                {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "b"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t",
                    "content": [{"type": "text", "text": "no"}],
                    "is_error": True,
                }
            ],
        },
    ],
    "system": [{"type": "text", "text": "Be brief."}],
    "tools": [{"name": "f", "description": "d", "input_schema": FUNCTION["parameters"]}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": False},
    "thinking": {"type": "disabled"},
}
MESSAGE: dict[str, Any] = {
    **COUNT,
    "max_tokens": 20,
    "metadata": {"user_id": "u"},
    "stop_sequences": ["x"],
    "stream": False,
    "temperature": 0.5,
    "top_p": 0.9,
}
_BODIES = {
    "/chat/completions": CHAT,
    "/completions": COMPLETION,
    "/responses": RESPONSE,
    "/messages": MESSAGE,
    "/count_tokens": COUNT,
}


def valid_body(path: str) -> dict[str, Any]:
    """A valid body for a route, with nearly all members."""
    return next((body for end, body in _BODIES.items() if path.endswith(end)), GENERATE)


def minimal_body(path: str) -> dict[str, Any]:
    """A valid body for a route, with only the required members."""
    valid = valid_body(path)
    if "messages" in valid:
        needed = {"max_tokens": 20} if path.endswith("/messages") else {}
        return {"messages": [{"role": "user", "content": "Hello"}], **needed}
    if "input" in valid:
        return {"input": "Hello"}
    return {name: valid[name] for name in ("inputs", "prompt") if name in valid}


def prompt_member(path: str) -> str:
    """The name of the member with the prompt."""
    return next(iter(minimal_body(path)))


def with_prompt_text(path: str, text: str) -> str:
    """A body with this JSON text as the prompt and as an unknown member."""
    rest = {**minimal_body(path)}
    name = prompt_member(path)
    del rest[name]
    prompt = f'[{{"role":"user","content":{text}}}]' if name == "messages" else text
    return f'{{"{name}":{prompt},"unknown":{text}{"".join(f",{json.dumps(k)}:{v}" for k, v in rest.items())}}}'


def with_unknown_member(path: str, text: str) -> str:
    """A valid body with this JSON text as an additional, unknown member."""
    rest = json.dumps(minimal_body(path))[1:]
    return f'{{"unknown":{text},{rest}'


def nested(depth: int) -> dict[str, str]:
    """Values nested this deep."""
    return {
        f"{depth} arrays": "[" * depth + "]" * depth,
        f"{depth} objects": '{"a":' * depth + "1" + "}" * depth,
        f"{depth} unclosed arrays": "[" * depth,
        f"{depth} arrays and objects": '[{"a":' * depth + "1" + "}]" * depth,
    }


VALUES: dict[str, str] = {
    **{name: text for depth in (10, 100, 900, 1000, 5000, 100_000) for name, text in nested(depth).items()},
    "1e400": "1e400",
    "-1e400": "-1e400",
    "10**400": "1" + "0" * 400,
    "10**5000": "1" + "0" * 5000,
    "-10**5000": "-1" + "0" * 5000,
    "0.0…1": "0." + "0" * 5000 + "1",
    "-0": "-0",
    "-0.0": "-0.0",
    "2**64": str(2**64),
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "leading zero": "01",
    "plus sign": "+1",
    "hexadecimal": "0x10",
    "lone high surrogate": '"\\ud800"',
    "lone low surrogate": '"\\udc00 x"',
    "swapped surrogates": '"\\udc00\\ud800"',
    "lone surrogate in a name": '{"\\ud800": 1}',
    "surrogate pair": '"\\ud83d\\ude00"',
    "NUL": '"a\\u0000b"',
    "raw NUL": '"a\0b"',
    "raw newline": '"a\nb"',
    "DEL and C1": '"\x7f\x80\x9f"',
    "line separators": '"\u2028\u2029"',
    "byte order mark": '"\ufeff"',
    "noncharacter": '"\uffff"',
    "invalid escape": '"\\x41"',
    "incomplete escape": '"\\u12"',
    "trailing backslash": '"\\',
    "unterminated string": '"abc',
    "single quotes": "'abc'",
    "comment": "1 /* x */",
    "trailing comma": "[1,]",
    "empty array": "[]",
    "empty object": "{}",
    "null": "null",
    "true": "true",
    "prototype members": '{"__proto__": {"x": 1}, "constructor": 1}',
    "long name": '{"' + "n" * 100_000 + '": 1}',
    "many names": "{" + ",".join(f'"{at}":1' for at in range(20_000)) + "}",
    "many numbers": "[" + ",".join(["1"] * 50_000) + "]",
    "event stream": '"\\n\\ndata: [DONE]\\n\\n"',
    "HTTP headers": '"\\r\\nX-Evil: 1\\r\\n\\r\\nHTTP/1.1 200 OK"',
}

NOT_OBJECTS: dict[str, str] = {
    "empty": "",
    "space": " ",
    "leading byte order mark": '\ufeff{"inputs": "x"}',
    "two objects": '{"inputs":"x"}{"inputs":"y"}',
    "trailing text": '{"inputs":"x"} x',
    "form": "inputs=x&stream=true",
    "XML": "<inputs>x</inputs>",
    "JSON lines": '{"inputs":"x"}\n{"inputs":"y"}\n',
    "HTTP request": 'POST /generate HTTP/1.1\r\nHost: x\r\n\r\n{"inputs":"x"}',
    "HTTP chunk": '11\r\n{"inputs":"hello"}\r\n0\r\n\r\n',
    "lone surrogate in the event": '{"inputs": "\ud800"}',
}

INVALID_BYTES: dict[str, bytes] = {
    "lone continuation byte": b'{"inputs":"\x80"}',
    "incomplete character": b'{"inputs":"\xe4\xbd"}',
    "overlong slash": b'{"inputs":"\xc0\xaf"}',
    "surrogate in UTF-8": b'{"inputs":"\xed\xa0\x80"}',
    "beyond Unicode": b'{"inputs":"\xf4\x90\x80\x80"}',
    "Latin-1": '{"inputs":"é"}'.encode("latin-1"),
    "UTF-16": '{"inputs":"x"}'.encode("utf-16"),
    "UTF-32": '{"inputs":"x"}'.encode("utf-32-be"),
    "gzip": bytes.fromhex("1f8b08000000000000ffab562a4a2c492d56b252502a4a2c492d06007d5b6b4b10000000"),
    "FF": b"\xff" * 100,
    "event stream frame": b"\0\0\0\x10\0\0\0\0\x05\xc2\x48\xeb\x7d\x98\xc8\xff",
}
