"""The start of vLLM: SageMaker's environment, the arguments that it becomes, and vLLM's checks of them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping

from local.model_container.openai.arguments import parse, parse_version, tool_parsers
from local.model_container.openai.entrypoint import check_supervisor, to_arguments
from local.model_container.openai.settings import Settings
from local.model_container.tgi.options import LaunchError
from local.model_container.toy_settings import read_toy_settings

NEWEST = "0.30.0"
"""The newest version that SageMaker has an image for."""

_PROGRAM = "api_server.py"
_DEFAULT_MODEL = "Qwen/Qwen3-0.6B"
_MODEL_FOLDER = "/opt/ml/model"
_MAX_MODEL_LEN = 32768  # the model's own; that of most recent models is larger
_ROUTES = "sagemaker_serve.SageMakerRouteMiddleware"


def read_settings(
    environment: Mapping[str, str],
    *,
    version: str | None = None,
    has_artifact: bool = False,
    reads_lines: bool = False,
    has_routes: bool = False,
) -> Settings:
    """Reads the settings from SageMaker's environment.

    Args:
        environment: The variables of the container.
        version: The version of vLLM. Default: the newest.
        has_artifact: Whether SageMaker has put weights into /opt/ml/model.
        reads_lines: Whether its entrypoint reads `env` line by line, as that of Hugging Face's images.
        has_routes: Whether the image adds the middleware that reads `route=` from CustomAttributes.

    Raises:
        LaunchError: The container does not start; the message is its output.
    """
    check_supervisor(environment)
    numbers = parse_version(version or NEWEST)
    arguments = to_arguments(environment, "SM_VLLM_", splits_arrays=numbers >= (0, 28) and not reads_lines)
    if "--model" not in arguments:
        arguments += ["--model", _model(environment, has_artifact=has_artifact)]
    args = parse("vllm", numbers, _PROGRAM, ["--port", "8080", *arguments])
    _check(args, numbers)
    return Settings(
        engine="vllm",
        version=numbers,
        model=args.model,
        names=tuple(args.served_model_name or [args.model]),
        max_model_len=_MAX_MODEL_LEN if args.max_model_len in (None, -1) else args.max_model_len,
        adapters=_adapters(args),
        runtime_adapters=environment.get("VLLM_ALLOW_RUNTIME_LORA_UPDATING", "").lower() in ("1", "true"),
        tool_parser=args.tool_call_parser,
        auto_tools=bool(args.enable_auto_tool_choice),
        trusts_templates=bool(args.trust_request_chat_template),
        routes=has_routes or _ROUTES in args.middleware,
        prompt_details=bool(args.enable_prompt_tokens_details),
        sessions=environment.get("SAGEMAKER_ENABLE_STATEFUL_SESSIONS", "").lower() == "true",
        max_unfinished=getattr(args, "max_num_queued_reqs", None),
        max_running=args.max_num_seqs or 256,
        max_logprobs=20 if args.max_logprobs is None else args.max_logprobs,
        api_key=args.api_key[0] if args.api_key else None,
        keep_alive_seconds=float(getattr(args, "sse_keep_alive_interval", None) or 0),
        **read_toy_settings(environment),
    )


def _model(environment: Mapping[str, str], *, has_artifact: bool) -> str:
    return _MODEL_FOLDER if has_artifact else environment.get("HF_MODEL_ID") or _DEFAULT_MODEL


def _check(args: argparse.Namespace, version: tuple[int, ...]) -> None:
    if args.port != 8080:
        raise LaunchError(f"The server listens on port {args.port}; SageMaker's health checks ask port 8080.")
    if args.enable_auto_tool_choice and not args.tool_call_parser:
        raise LaunchError("TypeError: Error: --enable-auto-tool-choice requires --tool-call-parser")
    parsers = tool_parsers("vllm", version)
    if args.enable_auto_tool_choice and args.tool_call_parser not in parsers and not args.tool_parser_plugin:
        raise LaunchError(
            f"KeyError: 'invalid tool call parser: {args.tool_call_parser} (chose from {{ {','.join(parsers)} }})'"
        )
    if args.max_model_len is not None and args.max_model_len < -1:
        raise LaunchError(f"ValueError: max_model_len must be -1 or positive, got {args.max_model_len}")


def _adapters(args: argparse.Namespace) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in args.lora_modules or ():
        if "=" in item and "{" not in item:
            name, _, path = item.partition("=")
        else:
            try:
                module = json.loads(item)
                name, path = module["name"], module["path"]
            except (ValueError, KeyError, TypeError) as error:
                raise LaunchError(f"{_PROGRAM}: error: Invalid JSON format for --lora-modules: {item}") from error
        found[name] = path
    if found and not args.enable_lora:
        raise LaunchError("ValueError: LoRA modules are given, but --enable-lora is not set.")
    return found
