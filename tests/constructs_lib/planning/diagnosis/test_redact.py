"""No secret and no prompt is shown."""

import re

import pytest

from constructs_lib.planning.diagnosis.diagnose import diagnose
from constructs_lib.planning.diagnosis.redact import MAX_SHOWN, clean, excerpt, secret_values
from constructs_lib.planning.diagnosis.signals import Deployed, Line, Signals, Source


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("401 Client Error for hf_AbCdEfGhIjKlMnOp", "hf_AbCdEf"),
        ("HF_TOKEN=hf_x1y2z3 set", "hf_x1y2z3"),
        ('hf_token: Some("swordfish"),', "swordfish"),
        ("'HUGGING_FACE_HUB_TOKEN': 'swordfish'", "swordfish"),
        ("OPTION_API_KEY: swordfish", "swordfish"),
        ("Authorization: Bearer swordfish.abc", "swordfish"),
        ("https://b.s3/k?X-Amz-Signature=0123456789abcdef&x", "0123456789abcdef"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSF"),
        ("x-api-key: swordfish", "swordfish"),
        ("Authorization: Basic c3dvcmRmaXNo", "c3dv"),
        ("Cannot connect to proxy https://me:swordfish@proxy:3128/", "swordfish"),
        ("Received request: prompt: 'what is my salary', params", "salary"),
        ('{"inputs": "what is my salary", "parameters": {}}', "salary"),
        ("ChatCompletionRequest(messages=[{'role': 'user', 'content': 'my salary'}])", "salary"),
    ],
)
def test_secrets_and_prompts_are_hidden(line, secret):
    assert secret not in clean(line)
    assert "(not shown)" in clean(line)
    assert clean(clean(line)) == clean(line)


@pytest.mark.parametrize(
    "line",
    [
        "ValueError: The model's max seq len (131072) is larger than the maximum number of tokens",
        "max_input_tokens: Some(4095), hf_token: None",
        "GatedRepoError: 403 Client Error. Cannot access gated repo for url https://huggingface.co/a/b",
    ],
)
def test_other_lines_stay_as_they_are(line):
    assert clean(line) == line


def test_values_of_the_environment_are_hidden_wherever_they_are():
    environment = {"HF_TOKEN": "sword-fish", "MAX_TOTAL_TOKENS": "4096", "MY_SECRET": "open sesame"}
    assert secret_values([environment]) == ("open sesame", "sword-fish")
    line = Line(Source.LOG, "OSError: [Errno 28] No space left on device: /tmp/sword-fish")
    read = Signals(status="Failed", lines=(line,), deployed=(Deployed(name="v", environment=environment),))
    assert "sword" not in repr(diagnose(read).findings)


def test_a_long_line_is_cut_around_what_was_found():
    text = f"{'a' * 5000} No space left on device {'b' * 5000}"
    shown = excerpt(text, re.compile("No space"))
    assert "No space left on device" in shown
    assert len(shown) <= MAX_SHOWN + 2


@pytest.mark.parametrize("line", ["\x1b[31mred\x1b[0m", "\x1b]0;title\x07red", "r\x9be\x00d"])
def test_what_a_terminal_obeys_is_left_out(line):
    assert clean(line) == "red"
