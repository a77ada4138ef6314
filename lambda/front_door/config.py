"""What this function serves, read from its environment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass


class ConfigError(Exception):
    """The function's environment is not usable; the deployment, not the client, has to change."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model behind this door.

    Attributes:
        name: The name that clients use, the key in `MODELS`.
        endpoint_name: The SageMaker endpoint that serves it.
        model_id: Its Hugging Face Hub id; None for weights from S3.
        max_body_bytes: What one request to it may weigh.
    """

    name: str
    endpoint_name: str
    model_id: str | None
    max_body_bytes: int


@dataclass(frozen=True, slots=True)
class Config:
    """The models in the order of `MODELS`, and where SageMaker is."""

    models: dict[str, Model]
    runtime_url: str
    sagemaker_url: str
    region: str


def from_environment(environ: Mapping[str, str]) -> Config:
    """Read the function's environment.

    Args:
        environ: `MODELS`, `SAGEMAKER_RUNTIME_URL`, `SAGEMAKER_URL` and `AWS_REGION`. The SDKs' own
            `AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME` and `AWS_ENDPOINT_URL_SAGEMAKER` win over the two URLs.

    Raises:
        ConfigError: A variable is missing or `MODELS` is not what the FrontDoor construct writes.
    """
    try:
        models = {name: _model(name, entry) for name, entry in json.loads(environ["MODELS"]).items()}
        if not models:
            raise ConfigError("MODELS names no model.")
        return Config(
            models=models,
            runtime_url=environ.get("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME") or environ["SAGEMAKER_RUNTIME_URL"],
            sagemaker_url=environ.get("AWS_ENDPOINT_URL_SAGEMAKER") or environ["SAGEMAKER_URL"],
            region=environ["AWS_REGION"],
        )
    except KeyError as missing:
        raise ConfigError(f"{missing} is missing from the function's environment.") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"MODELS must be a JSON object of models: {error}") from error


def _model(name: str, entry: dict[str, object]) -> Model:
    model_id = entry.get("model_id")
    return Model(
        name=name,
        endpoint_name=str(entry["endpoint_name"]),
        model_id=None if model_id is None else str(model_id),
        max_body_bytes=int(str(entry["max_body_bytes"])),
    )
