"""What would be read of the deployments of tests/field/cases, from the words that their reports quote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from constructs_lib.planning.diagnosis.signals import Deployed, Line, Signals, Source
from constructs_lib.planning.engines import engine_named

_CASES = Path(__file__).resolve().parents[3] / "field" / "cases"
LOGS: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "field_logs.json").read_text())

_HEALTH_CHECK = (
    "The primary container for production variant AllTraffic did not pass the ping health check. Please check"
    " CloudWatch logs for this endpoint."
)
_VARIABLES = {
    "num_shard": "SM_NUM_GPUS",
    "quantize": "HF_MODEL_QUANTIZE",
    "trust_remote_code": "HF_MODEL_TRUST_REMOTE_CODE",
}


def field_cases() -> dict[str, dict[str, Any]]:
    """Every case by its id."""
    return {case["id"]: case for path in sorted(_CASES.glob("*.json")) for case in json.loads(path.read_text())}


def signals_of(case: dict[str, Any], said: dict[str, Any]) -> Signals:
    """The signals: what the report quotes, among what is always there when a container fails."""
    status = said.get("status", "Failed")
    lines = [Line(Source.LOG, 'INFO text_generation_launcher: Args { model_id: "m", num_shard: Some(4) }')]
    lines += [Line(Source.LOG, text) for text in said.get("log", ())]
    if "log" in said and status == "Failed":
        lines += [Line(Source.LOG, "ERROR text_generation_launcher: Shard 0 failed to start"),
                  Line(Source.LOG, "Error: ShardCannotStart"), Line(Source.STATUS, _HEALTH_CHECK)]  # fmt: skip
    lines += [Line(Source.STATUS, said["reason"])] if "reason" in said else []
    if "event" in said:
        lines = [Line(Source.STACK, said["event"], of="Endpoint")]
    return Signals(
        endpoint="llama",
        region="eu-west-1",
        status=status,
        lines=tuple(lines),
        deployed=(_deployed(case),),
        had_log="log" in said,
    )


def _deployed(case: dict[str, Any]) -> Deployed:
    engine = engine_named(case.get("engine", "tgi"))
    version = case.get("image") or case.get("version") or engine.images.newest
    known = engine.images.repository_and_tag(version)
    repository, tag = known or (min(engine.images.repositories), f"2.0-tgi{version}-gpu")
    options = {_variable(engine.name, name): _text(value) for name, value in case.get("options", {}).items()}
    return Deployed(
        name="AllTraffic",
        image=f"763104351884.dkr.ecr.eu-west-1.amazonaws.com/{repository}:{tag}",
        environment={"HF_MODEL_ID": case.get("model", "/opt/ml/model"), "HF_TOKEN": "hf_made_up_for_tests"} | options,
        instance_types=(case["instance"],) if "instance" in case else (),
    )


def _variable(engine: str, option: str) -> str:
    return f"SM_VLLM_{option.upper()}" if engine == "vllm" else _VARIABLES.get(option, option.upper())


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else ",".join(value) if isinstance(value, list) else str(value)
