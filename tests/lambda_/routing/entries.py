"""Entries of the file of models with several endpoints, and the configuration that is read from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from front_door.config import Config, from_environment

ENVIRONMENT = {
    "SAGEMAKER_RUNTIME_URL": "https://runtime.sagemaker.eu-west-1.amazonaws.com",
    "SAGEMAKER_URL": "https://api.sagemaker.eu-west-1.amazonaws.com",
    "AWS_REGION": "eu-west-1",
    "LAMBDA_URL": "https://lambda.eu-west-1.amazonaws.com",
    "MIRROR_FUNCTION": "arn:aws:lambda:eu-west-1:111122223333:function:door-mirror",
}


def endpoint(target: str, engine: str = "vllm", /, **members: Any) -> dict[str, Any]:
    """The entry of an endpoint among others."""
    return {
        "endpoint_name": f"{target}-endpoint",
        "engine": engine,
        "model_id": "org/llama",
        "max_body_bytes": 25 * 1024 * 1024,
        "target": target,
        **members,
    }


def split(**weights: float) -> dict[str, Any]:
    """The entry of endpoints between which callers are divided."""
    return {"split": [{"weight": weight, "to": endpoint(name)} for name, weight in weights.items()]}


def fallback(*targets: dict[str, Any]) -> dict[str, Any]:
    return {"fallback": list(targets)}


def mirror(primary: dict[str, Any], to: dict[str, Any], percent: float = 100) -> dict[str, Any]:
    return {"mirror": {"primary": primary, "to": to, "percent": percent}}


def read(folder: Path, environment: dict[str, str | None] | None = None, **models: dict[str, Any]) -> Config:
    """The configuration of some models; members of `environment` change the function's, and None takes one away."""
    file = folder / "models.json"
    file.write_text(json.dumps(models))
    variables = {**ENVIRONMENT, **(environment or {}), "MODELS_FILE": str(file)}
    return from_environment({name: value for name, value in variables.items() if value is not None})
