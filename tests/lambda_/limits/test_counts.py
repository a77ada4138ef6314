"""How many tokens a prompt is taken for."""

from __future__ import annotations

from typing import Any

import pytest
from front_door.limits.counts import IMAGE_TOKENS, estimate_tokens

IMAGE = "data:image/png;base64," + "A" * 30_000


@pytest.mark.parametrize(
    ("prompt", "tokens"),
    [
        ((), 0),
        ((None, "", []), 0),
        (("a",), 1),
        (("abc", "d"), 2),
        (("été",), 2),
        (("🧸" * 3,), 4),
        (([1, 2, 3],), 3),
        (([[1, 2], [3]], "abc"), 4),
        (([{"role": "user", "content": "Hello there"}],), 9),
        (([{"type": "image_url", "image_url": {"url": IMAGE}}],), IMAGE_TOKENS + 9),
        ((f"What is ![]({IMAGE}) this ![]({IMAGE})?",), 2 * IMAGE_TOKENS + 7),
        (("![](https://example.com/a.png)",), 10),
        (("data:" + "a" * 2_995,), 1000),
        (([{"type": "text", "text": "data:" + "a" * 2_983}],), 1000),
        (([{"url": "data: " + "a" * 2_991}],), 1000),
        (("![](data:" + "a" * 2_991,), 1000),
        (("![](data: " + "a" * 2_989 + ")",), 1000),
        (("\ud800",), 1),
    ],
)
def test_a_prompt_takes_a_token_for_three_bytes(prompt: tuple[Any, ...], tokens: int) -> None:
    assert estimate_tokens(prompt) == tokens


def test_a_value_may_be_as_deep_as_json_reads_it() -> None:
    deep: Any = "abc"
    for _ in range(100_000):
        deep = [deep]
    assert estimate_tokens((deep,)) == 1
