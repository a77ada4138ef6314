"""The text of a plan."""

import re

import pytest

from constructs_lib.cli import plan_text
from constructs_lib.cli.output import Output
from constructs_lib.planning.hardware.instance_types import InstanceType
from tests.constructs_lib.cli.sample_plans import fitting, memory, misfit, request
from tests.constructs_lib.cli.text_stream import TextStream

FOUND = [
    fitting(InstanceType.G6_2XLARGE, settings={"max_total_tokens": 8192, "dtype": "float16"}),
    fitting(InstanceType.G5_12XLARGE, num_shard=2, concurrency=1234, memory=memory(weights=4)),
    fitting(InstanceType.G7_2XLARGE, caution="Nobody tried it."),
    fitting(InstanceType.P5E_48XLARGE, memory=memory(weights=0.5)),
    misfit(InstanceType.G4DN_XLARGE, "3.3 GiB short on its GPU."),
    misfit(InstanceType.INF2_XLARGE, "It has Inferentia2, but TGI's image is for NVIDIA GPUs."),
    misfit(InstanceType.G4DN_2XLARGE, "3.3 GiB short on its GPU."),
]
CONTEXTS = {one.instance.name: 131_072 for one in FOUND}

PLAIN = """\
tiiuae/falcon-7b · 6.9 B parameters · bfloat16 · FlashRW · licence apache-2.0
TGI 3.3.6 · 8,192 tokens (prompt and output), 4 at the same time

INSTANCE         GPUS                      MEMORY OF A GPU           CONTEXT  REQUESTS  $ / HOUR  $ / MONTH
ml.g6.2xlarge    1 × L4 22 GiB             ██████████▓▓▒▒▒▒▒░░░░░░░  131,072        16     1.222        892
ml.g5.12xlarge   4 × A10G 22 GiB (2 used)  █████▓▓▒▒▒▒▒░░░░░░░░░░░░  131,072     1,234     7.090      5,176
ml.g7.2xlarge *  1 × RTX PRO 4500 32 GiB   ██████████▓▓▒▒▒▒▒░░░░░░░  131,072        16    ~3.150     ~2,300
ml.p5e.48xlarge  8 × H200 141 GiB          █▓▓▒▒▒▒▒░░░░░░░░░░░░░░░░  131,072        16         -          -

█ weights   ▓ KV cache   ▒ reserved   ░ free for more tokens
* Nobody tried it.
CONTEXT: longest request, in tokens · REQUESTS: concurrent requests of 8,192 tokens, by memory, not by speed
~ derived from EC2's price

CANNOT SERVE                                             INSTANCES
3.3 GiB short on its GPU.                                ml.g4dn.xlarge, ml.g4dn.2xlarge
It has Inferentia2, but TGI's image is for NVIDIA GPUs.  ml.inf2.xlarge

Cheapest: ml.g6.2xlarge, $1.222 an hour, $892 a month. Required settings: max_total_tokens=8192, dtype='float16'.
An hour: 1.222 USD.
"""


def written(*, stream=None, found=FOUND, every=FOUND, **arguments):
    stream = stream or TextStream()
    plan_text.report(request(**arguments), found, every, CONTEXTS, Output(stream))
    return stream.getvalue()


@pytest.fixture(autouse=True)
def _no_notes(monkeypatch):
    monkeypatch.setattr(plan_text, "notes", lambda request, candidate: [])
    price = lambda candidate: candidate.price_usd_per_hour  # noqa: E731
    monkeypatch.setattr(plan_text, "cost", lambda _, one: price(one) and f"{price(one):.3f} USD")


def test_a_plan_in_a_pipe():
    assert written() == PLAIN


def test_a_terminal_gets_the_same_text_in_colours(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    coloured = written(stream=TextStream(is_terminal=True))
    assert "\x1b[34m██" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m| +(?=\x1b\[0m\n)", "", coloured) == PLAIN


def test_an_ascii_stream_gets_only_ascii():
    plain = written(stream=TextStream(encoding="ascii"))
    assert plain.isascii()
    assert "##########==-----......." in plain
    assert "# weights   = KV cache   - reserved   . free for more tokens" in plain
    assert "1 x L4 22 GiB" in plain


def test_a_narrow_terminal_gets_shorter_bars_and_wrapped_text(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    found = [*FOUND[:4], misfit(InstanceType.G4DN_XLARGE, "Too small. " * 9)]
    narrow = written(stream=TextStream(is_terminal=True), found=found)
    assert "█████▓▒▒░░░░" in narrow
    reasons = narrow.partition("CANNOT SERVE")[2].partition("\n\n")[0].replace("ml.g4dn.xlarge", "")
    assert " ".join(reasons.split()).count("Too small.") == 9
    assert max(map(len, narrow.splitlines())) <= 80


def test_bars_are_to_scale():
    tight = [fitting(InstanceType.G6_2XLARGE, memory=memory(weights=16), fits=True)]
    assert "█" * 19 in written(found=tight)
    assert "!" not in written(found=tight)


def test_without_a_length_requests_have_the_longest_context():
    text = written(tokens=None, concurrency=None)
    assert "TGI 3.3.6 · requests of any length\n" in text
    assert "REQUESTS: concurrent requests of that length, by memory, not by speed" in text


def test_the_cheapest_is_the_first_that_tgi_was_built_for():
    untested, tested = fitting(InstanceType.G7_2XLARGE, caution="Nobody tried it."), fitting(InstanceType.G6_2XLARGE)
    assert "Cheapest: ml.g6.2xlarge," in written(found=[untested, tested])
    only_untested = written(found=[untested, fitting(InstanceType.G5_12XLARGE, caution="Nobody tried it.")])
    assert "It fits: ml.g7.2xlarge," in only_untested
    assert "Cheapest" not in only_untested


def test_a_gated_model_is_marked():
    assert "licence llama3.1, gated\n" in written(hub_id="meta-llama/Llama-3.1-8B-Instruct")
    assert ", gated at some revisions\n" in written(hub_id="mistralai/Mistral-7B-Instruct-v0.3")


def test_if_nothing_fits_no_alternative_is_named():
    text = written(found=FOUND[4:], every=FOUND[4:])
    assert text.endswith("It does not fit. No instance in the catalogue can serve it.\n")
    assert "MEMORY OF A GPU" not in text


def test_alternatives_are_named_with_their_prices_untested_ones_last():
    first = "ml.g6.2xlarge ($1.222 an hour, $892 a month)"
    derived = fitting(InstanceType.G6_16XLARGE)
    text = written(found=FOUND[4:], every=[FOUND[2], FOUND[0], derived])
    second = "ml.g6.16xlarge (about $4.246 an hour, $3,100 a month)"
    assert f"What fits: {first}, {second}, ml.g7.2xlarge (about $3.150 an hour, $2,300 a month).\n" in text
    assert "ml.g7.2xlarge" not in written(found=FOUND[4:], every=[*FOUND, derived]).splitlines()[-1]


def test_an_instance_without_a_price_is_shown_as_such():
    text = written(found=[FOUND[3]])
    assert text.endswith("It fits: ml.p5e.48xlarge, no price is published.\n")
