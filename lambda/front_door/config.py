"""The configuration, read from the function's environment and the file of its models."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from front_door.callers import Callers
    from front_door.targets import Routing

DEFAULT_MAX_TOKENS = 1024


class ConfigError(Exception):
    """The function's configuration is invalid: the deployment has to change, not the client."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model behind the front door.

    Attributes:
        name: The name that clients use, its key in the file.
        endpoint_name: The SageMaker endpoint that serves it.
        model_id: Its Hugging Face Hub id; None for weights from S3.
        max_body_bytes: The largest request body that its endpoint accepts.
        inference_component: The inference component that serves it; None if the endpoint has none.
        wake_seconds: Estimate from the first request that finds no copy of it to the first answer.
        hours: When it is open, as `hours.py` reads it; None: always.
        engine: What runs in its container: a key of `engines.ENGINES`.
        adapters: Its LoRA adapters by their names, each with the inference component that serves it; None for those
            that its container has by itself.
        adapter: The adapter that the request is for; None: the model itself.
        attributes: SageMaker's CustomAttributes of the request, which the container reads.
        facts: What the plan knows about it, by TGI's names, such as `max_total_tokens` and `version`; empty for an
            endpoint that was imported without them.
        target: The name of the endpoint among those of a name that has several.
        region: The Region of the endpoint; None: the function's own.
        runtime_url: SageMaker Runtime there, likewise.
        sagemaker_url: SageMaker's own API there, likewise.
        variant: The production variant that the request names; None: SageMaker chooses one.
        routing: The endpoints between which requests are divided; None: `endpoint_name` alone. With it, `adapters` are
            those that all of them have, and all else is the first one's.
    """

    name: str
    endpoint_name: str
    model_id: str | None
    max_body_bytes: int
    inference_component: str | None = None
    wake_seconds: int | None = None
    hours: dict[str, Any] | None = None
    engine: str = "tgi"
    adapters: dict[str, str | None] = field(default_factory=dict)
    adapter: str | None = None
    attributes: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    target: str | None = None
    region: str | None = None
    runtime_url: str | None = None
    sagemaker_url: str | None = None
    variant: str | None = None
    routing: "Routing | None" = None

    @property
    def full_name(self) -> str:
        """The name that clients use, `name:adapter` for an adapter."""
        return self.name if self.adapter is None else f"{self.name}:{self.adapter}"

    @property
    def key(self) -> str:
        """What tells the endpoint from the others of its front door: its target's name, else its own."""
        return self.target or self.name

    @property
    def model_ids(self) -> tuple[str | None, ...]:
        """The hub ids of its endpoints, each of which clients may use as its name."""
        return (self.model_id,) if self.routing is None else tuple(each.model_id for each in self.routing.targets())

    @property
    def branches(self) -> "Sequence[Sequence[Model]]":
        """For each share of the callers, the endpoints that their requests go to, each if the one before refuses."""
        return ((self,),) if self.routing is None else [branch.targets for branch in self.routing.live()]

    @property
    def adapter_component(self) -> str | None:
        """The inference component that serves the adapter; None if the container has it by itself."""
        return None if self.adapter is None else self.adapters.get(self.adapter)

    def with_adapter(self, name: str) -> "Model":
        """The same for one of its adapters."""
        return replace(self, adapter=name)


@dataclass(frozen=True, slots=True)
class Config:
    """The models, in the order of the file, and how they are served.

    Attributes:
        models: By the names that clients use.
        runtime_url: SageMaker Runtime.
        sagemaker_url: SageMaker's own API.
        region: The Region of both.
        default_max_tokens: The number of tokens for requests that do not set one.
        cors_origins: The origins whose pages may read responses; `*` for all.
        playground_page: The file of the playground, which `GET /` shows browsers; None if it is not deployed.
        requires_api_key: Whether API Gateway lets nobody in without an API key.
        holds_clients: Whether clients are kept waiting while a model comes back from zero copies.
        has_wake_route: Whether `POST /models/{model}/wake` is served.
        openapi_file: The description of the API.
        mirror_function: The function that is invoked with what is mirrored; None if nothing is.
        lambda_url: Lambda's API.
        is_mirror: Whether this is that function, which answers no client.
        callers: Who may call which models, and how much; None: whoever API Gateway lets in may call all.
        limits_table: The table that counts what they use; empty if nobody has a limit.
        dynamodb_url: DynamoDB.
        aliases: What names of others stand for: a model's name, or `name:adapter`, by the name or by how it begins,
            with a star.
    """

    models: dict[str, Model]
    runtime_url: str
    sagemaker_url: str
    region: str
    default_max_tokens: int = DEFAULT_MAX_TOKENS
    cors_origins: tuple[str, ...] = ()
    playground_page: str | None = None
    requires_api_key: bool = False
    holds_clients: bool = False
    has_wake_route: bool = False
    openapi_file: str = ""
    mirror_function: str | None = None
    lambda_url: str = ""
    is_mirror: bool = False
    callers: "Callers | None" = None
    limits_table: str = ""
    dynamodb_url: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)

    def model(self, name: str) -> Model | None:
        """The model with a name, or the only one with a hub id, or one's adapter, or what an alias stands for.

        None if there is none. No alias counts for a name that begins with a model's and a colon.
        """
        base, has_adapter, adapter = name.partition(":")
        model = self._named(base)
        if model is None:
            meant = self._meant(name) if self.aliases else None
            return None if meant is None else self.model(meant)
        if not has_adapter:
            return model
        return model.with_adapter(adapter) if adapter in model.adapters else None

    def _meant(self, alias: str) -> str | None:
        """What an alias stands for: the one of this name, else the longest of those that the name begins with."""
        if not alias.endswith("*") and alias in self.aliases:
            return self.aliases[alias]
        begins = [each for each in self.aliases if each.endswith("*") and alias.startswith(each[:-1])]
        return self.aliases[max(begins, key=len)] if begins else None

    def _named(self, name: str) -> Model | None:
        if name in self.models:
            return self.models[name]
        same_weights = [model for model in self.models.values() if name in model.model_ids]
        return same_weights[0] if len(same_weights) == 1 else None

    @property
    def only_model(self) -> Model | None:
        """The model, if there is one alone."""
        return next(iter(self.models.values())) if len(self.models) == 1 else None


def from_environment(environ: Mapping[str, str]) -> Config:
    """Read the function's environment.

    Args:
        environ: `MODELS_FILE`, `SAGEMAKER_RUNTIME_URL`, `SAGEMAKER_URL` and `AWS_REGION`, and, optionally,
            `DEPLOYED_VALUES`, `DEFAULT_MAX_TOKENS`, `CORS_ORIGINS`, `PLAYGROUND_PAGE`, `API_KEYS`, `ON_WAKE` and
            `WAKE_ROUTE`; with what is mirrored `MIRROR_FUNCTION` and `LAMBDA_URL`, or `MIRROR` in the function that it
            names; with callers that may not call all `CALLERS_FILE`, and if they have limits `LIMITS_TABLE` and
            `DYNAMODB_URL`. The SDKs' own `AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME`, `AWS_ENDPOINT_URL_SAGEMAKER`,
            `AWS_ENDPOINT_URL_LAMBDA` and `AWS_ENDPOINT_URL_DYNAMODB` take precedence over the URLs, also those of other
            Regions.

    Raises:
        ConfigError: A variable is missing, or it or the file is not what the FrontDoor construct writes.
    """
    name = "MODELS_FILE"
    try:
        paths = [environ[name], *filter(None, [environ.get("CALLERS_FILE")])]
        entries, *others = _read_files(paths, environ.get("DEPLOYED_VALUES", "").split())
        aliases = {key: entry["alias"] for key, entry in entries.items() if "alias" in entry}
        models = {key: _routed(key, entry, environ) for key, entry in entries.items() if key not in aliases}
        if not models:
            raise ConfigError(f"{environ[name]} names no model.")
        if unknown := {each for each in aliases.values() if each.partition(":")[0] not in models}:
            raise ConfigError(f"Aliases stand for models that there are not: {', '.join(sorted(unknown))}.")
        name = "CALLERS_FILE"
        calling = _calling(others[0], models, environ) if others else {}
        name = "DEFAULT_MAX_TOKENS"
        default_max_tokens = int(environ.get(name) or DEFAULT_MAX_TOKENS)
        name = "CORS_ORIGINS"
        cors_origins = tuple(str(origin) for origin in json.loads(environ.get(name) or "[]"))
        return Config(
            models=models,
            runtime_url=environ.get("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME") or environ["SAGEMAKER_RUNTIME_URL"],
            sagemaker_url=environ.get("AWS_ENDPOINT_URL_SAGEMAKER") or environ["SAGEMAKER_URL"],
            region=environ["AWS_REGION"],
            default_max_tokens=default_max_tokens,
            cors_origins=cors_origins,
            playground_page=environ.get("PLAYGROUND_PAGE") or None,
            requires_api_key=environ.get("API_KEYS") == "on",
            holds_clients=environ.get("ON_WAKE") == "hold",
            has_wake_route=environ.get("WAKE_ROUTE") == "on",
            aliases=aliases,
            # Not part of the code, whose size counts at a cold start: it comes with the models' layer.
            openapi_file=f"{os.path.dirname(environ['MODELS_FILE'])}/openapi.json",  # noqa: PTH120 - as below
            **_mirroring(models, environ),
            **calling,
        )
    except KeyError as missing:
        raise ConfigError(f"{missing} is missing from the function's environment.") from None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"{name} is not what a FrontDoor writes: {error}") from error


def _read_files(paths: Sequence[str], deployed_values: list[str]) -> list[Any]:
    """The files, with each `{"deployed": n}` replaced by the n-th value that only the deployment knew."""
    referred = set()

    def replace(value: dict[str, Any]) -> Any:
        number = value.get("deployed")
        if not isinstance(number, int):
            return value
        referred.add(number)
        return deployed_values[number] if number < len(deployed_values) else None

    contents = []
    for path in paths:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs a millisecond here
            contents.append(json.load(file, object_hook=replace))
    # An empty value, or one with a space, would shift the others: requests would go to other models' endpoints.
    if referred != set(range(len(deployed_values))):
        names, refer = " and ".join(paths), "refers" if len(paths) == 1 else "refer"
        raise ConfigError(f"{names} {refer} to {len(referred)} values, and DEPLOYED_VALUES has {len(deployed_values)}.")
    return contents


_KINDS = ("split", "fallback", "mirror")
"""The only member of an entry that has several endpoints; an endpoint's own has `endpoint_name`."""


def _routed(name: str, entry: dict[str, Any], environ: Mapping[str, str]) -> Model:
    def read_endpoint(entry: dict[str, Any]) -> Model:
        return _model(name, entry, environ)

    if not any(kind in entry for kind in _KINDS):
        return read_endpoint(entry)
    from front_door.targets import read_targets

    return read_targets(entry, read_endpoint)


def _mirroring(models: Mapping[str, Model], environ: Mapping[str, str]) -> dict[str, Any]:
    """The members of a `Config` about what is mirrored, if anything is."""
    if all(model.routing is None or model.routing.mirror is None for model in models.values()):
        return {}
    if environ.get("MIRROR") == "on":
        return {"is_mirror": True}
    url = environ.get("AWS_ENDPOINT_URL_LAMBDA") or environ["LAMBDA_URL"]
    return {"mirror_function": environ["MIRROR_FUNCTION"], "lambda_url": url}


def _calling(content: Any, models: Mapping[str, Model], environ: Mapping[str, str]) -> dict[str, Any]:
    """The members of a `Config` about who may call; copies for a mirror have no caller."""
    if environ.get("MIRROR") == "on":
        return {}
    from front_door.callers import read_callers

    callers = read_callers(content, models)
    if not callers.has_limits:
        return {"callers": callers}
    url = environ.get("AWS_ENDPOINT_URL_DYNAMODB") or environ["DYNAMODB_URL"]
    return {"callers": callers, "limits_table": environ["LIMITS_TABLE"], "dynamodb_url": url}


def _model(name: str, entry: dict[str, Any], environ: Mapping[str, str]) -> Model:
    rest = dict(entry)
    endpoint_name, model_id = str(rest.pop("endpoint_name")), rest.pop("model_id", None)
    component, wake_seconds = rest.pop("inference_component", None), rest.pop("wake_seconds", None)
    target, region = rest.pop("target", None), rest.pop("region", None)
    runtime_url, sagemaker_url = rest.pop("runtime_url", None), rest.pop("sagemaker_url", None)
    return Model(
        name=name,
        endpoint_name=endpoint_name,
        model_id=None if model_id is None else str(model_id),
        max_body_bytes=int(rest.pop("max_body_bytes")),
        inference_component=None if component is None else str(component),
        wake_seconds=None if wake_seconds is None else int(wake_seconds),
        hours=rest.pop("hours", None),
        engine=str(rest.pop("engine", "tgi")),
        adapters=dict(rest.pop("adapters", {})),
        facts=rest,
        target=None if target is None else str(target),
        region=None if region is None else str(region),
        # In place of them too, the SDKs' variables have taken that of the default.
        runtime_url=None if environ.get("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME") else runtime_url,
        sagemaker_url=None if environ.get("AWS_ENDPOINT_URL_SAGEMAKER") else sagemaker_url,
    )
