"""The further arguments of SGLang's server: which it has, and which are the plan's or SageMaker's."""

from __future__ import annotations

from constructs_lib.planning.engines.extra_arguments import ExtraArguments
from constructs_lib.planning.engines.server_arguments import arguments_of, releases_of
from constructs_lib.planning.engines.sglang.launcher_options import ENTRYPOINT, OPTIONS
from constructs_lib.planning.engines.sglang.option_names import OTHER_NAMES
from constructs_lib.planning.images.catalogue import Version, format_version

_MODEL = "Model.from_hub(…) or Model.from_s3(…)"

OWNERS = {
    "model_path": _MODEL,
    "model": _MODEL,
    "revision": "Model.from_hub(…, revision=…)",
    "tp": "options.tp_size",
    "tensor_parallel_size": "options.tp_size",
    "data_parallel_size": "options.dp_size",
    "enable_lora": "options.lora_paths",
    **{ENTRYPOINT.option(option.variable): f"options.{option.keyword}" for option in OPTIONS},
    **{ENTRYPOINT.option(option.older[0]): f"options.{option.keyword}" for option in OPTIONS if option.older},
}
"""The argument of the construct that sets an argument of the server."""

_KEY = "makes SGLang demand an Authorization header that SageMaker never forwards: every request would get 401"
_TLS = "makes SGLang speak TLS, but SageMaker calls the container without: it would never become healthy"

REFUSED = {
    "port": "is SageMaker's: it reaches the container on port 8080",
    "host": "is SageMaker's: it reaches the container on every interface",
    "fastapi_root_path": "moves the server's paths, of which SageMaker calls /ping and /invocations",
    "grpc_mode": "replaces the HTTP server that SageMaker calls",
    "smg_grpc_mode": "replaces the HTTP server that SageMaker calls",
    "skip_tokenizer_init": "leaves SGLang without the tokenizer that chats need",
    "is_embedding": "makes SGLang answer embeddings, which /invocations does not offer",
    "nnodes": "spreads the model over several hosts, which an endpoint's instances are not",
    "node_rank": "spreads the model over several hosts, which an endpoint's instances are not",
    "config": "names a file with options that the plan would not know",
    **dict.fromkeys(("api_key", "admin_api_key"), _KEY),
    **dict.fromkeys(("ssl_keyfile", "ssl_certfile", "ssl_ca_certs", "ssl_keyfile_password"), _TLS),
}
"""Arguments that must not be set at all, and why."""


def is_known(version: Version) -> bool:
    """Whether a version lies among the releases whose arguments, parsers and models are known."""
    oldest, newest = releases_of("sglang")
    return oldest <= version <= newest


def extra_arguments(version: Version) -> ExtraArguments:
    """What is checked of `extra_args`."""
    return ExtraArguments(
        server=f"SGLang {format_version(version)}",
        owners=OWNERS,
        refused=REFUSED,
        known=arguments_of("sglang", version) if is_known(version) else (),
        unknown=", so that it would stop at once",
        meant=OTHER_NAMES.meant,
    )
