"""Cases of the kind `plan`: whether a model fits, and for how many tokens."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from constructs_lib import TgiOptions
from constructs_lib.cli.main import main
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointPlan, EndpointRequest
from tests.constructs_lib.cli.text_stream import TextStream
from tests.field.facts import added_facts, added_file

TOLERANCE = 0.1
"""Of the tokens that fit, unless a case has another with its reason."""


def deviations(case: dict[str, Any]) -> list[str]:
    """How the plan differs from the report. Only memory counts: other reasons to refuse are other cases.

    Where a report ran out of memory, a refusal is right, and so is the warning that it may not start.
    """
    planned, expect = plan_of(case), case["expect"]
    if planned.memory is None:
        return ["nothing is known about the memory"]
    short = [str(problem) for problem in planned.problems if "GiB" in str(problem)]
    found = []
    if expect.get("fits") is True:
        found += short
    if expect.get("fits") is False and not short and not planned.memory.is_tight:
        found.append("it fits")
    if planned.memory.prefill_tokens != expect.get("prefill_tokens", planned.memory.prefill_tokens):
        found.append(f"a prefill of {planned.memory.prefill_tokens} tokens, not {expect['prefill_tokens']}")
    if "max_tokens" in expect:
        found += _token_deviations(planned.memory.max_tokens, expect)
    if planned.memory.kv_bytes_per_token != expect.get("kv_bytes_per_token", planned.memory.kv_bytes_per_token):
        found.append(f"{planned.memory.kv_bytes_per_token} bytes a token, not {expect['kv_bytes_per_token']}")
    return found + (_command_line_deviations(case) if "tokens" in case else [])


def plan_of(case: dict[str, Any]) -> EndpointPlan:
    """The plan of what was deployed."""
    options = dict(case.get("options", {}))
    if "tokens" in case:
        options |= {"max_input_tokens": case["tokens"] - 1, "max_total_tokens": case["tokens"]}
    facts = added_facts(case) if "config" in case else None
    return plan(
        EndpointRequest(
            engine=TGI,
            model=ModelChoice(source="hub", hub_id=case["model"], has_token=True, facts=facts),
            instance=_instance(case),
            image=ImageChoice(version=case.get("image", TGI.images.newest)),
            options=TgiOptions(**options),
        )
    )


def _instance(case: dict[str, Any]) -> InstanceType:
    if "instance" in case:
        return InstanceType.named(case["instance"])
    gpu = case["gpu"]
    return InstanceType.of(
        "ml.other.xlarge",
        accelerator=gpu["name"],
        accelerator_count=gpu["count"],
        memory_gib=gpu["memory_gib"],
        compute_capability=tuple(gpu["compute_capability"]),
    )


def _token_deviations(tokens: int, expect: dict[str, Any]) -> list[str]:
    error = tokens / expect["max_tokens"] - 1
    if abs(error) <= expect.get("tolerance", TOLERANCE):
        return []
    return [f"{tokens} tokens where TGI printed {expect['max_tokens']}: {error:+.0%}"]


def _command_line_deviations(case: dict[str, Any]) -> list[str]:
    """The command `plan` has to agree with the construct."""
    with TemporaryDirectory() as place:
        arguments = ["plan", "--model", case["model"], "--instance", case["instance"], "--tokens", str(case["tokens"])]
        if "config" in case:
            arguments += ["--models", str(added_file(case, Path(place)))]
        if "image" in case:
            arguments += ["--image", case["image"]]
        output, errors = TextStream(), TextStream()
        status = main(arguments, output, errors)
    fits = case["expect"].get("fits", True)
    agrees = status == (0 if fits else 1)
    return [] if agrees else [f"the command plan ends with {status}: {output.getvalue()}{errors.getvalue()}"]
