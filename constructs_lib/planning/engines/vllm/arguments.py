"""The further arguments of vLLM's server: which it has, and which are the plan's or SageMaker's."""

from __future__ import annotations

from constructs_lib.planning.engines.extra_arguments import ExtraArguments
from constructs_lib.planning.engines.vllm.launcher_options import OF_THE_IMAGE, OPTIONS
from constructs_lib.planning.engines.vllm.option_names import OTHER_NAMES
from constructs_lib.planning.engines.vllm.releases import Kind, is_known, names
from constructs_lib.planning.images.catalogue import Version, format_version

_REVISION = "Model.from_hub(…, revision=…)"

OWNERS = {
    "model": "Model.from_hub(…) or Model.from_s3(…)",
    "revision": _REVISION,
    "tokenizer_revision": _REVISION,
    "hf_token": "Model.from_hub(…, token=secret)",
    **{one.keyword: f"options.{one.keyword}" for one in OPTIONS if one.keyword not in OF_THE_IMAGE},
}
"""The argument of the construct that sets an argument of the server."""

_KEY = "guards other paths than /invocations, so that it protects nothing here: SageMaker checks who may call"
_TLS = "makes vLLM speak TLS, but SageMaker calls the container without: it would never become healthy"
_HOSTS = "spreads the model over several hosts, which an endpoint's instances are not"

REFUSED = {
    "port": "is SageMaker's: it reaches the container on port 8080",
    "host": "is SageMaker's: it reaches the container on every interface",
    "uds": "moves the server to a socket, but SageMaker calls port 8080",
    "root_path": "moves the server's paths, of which SageMaker calls /ping and /invocations",
    "grpc": "replaces the HTTP server that SageMaker calls",
    "headless": "starts no HTTP server, which SageMaker calls",
    "config": "names a file with options that the plan would not know",
    "skip_tokenizer_init": "leaves vLLM without the tokenizer that requests need",
    "api_key": _KEY,
    **dict.fromkeys(("ssl_keyfile", "ssl_certfile", "ssl_ca_certs"), _TLS),
    **dict.fromkeys(("nnodes", "node_rank", "master_addr", "data_parallel_address", "data_parallel_rank"), _HOSTS),
}
"""Arguments that must not be set at all, and why."""


def extra_arguments(version: Version) -> ExtraArguments:
    """What is checked of `extra_args`."""
    switched_off = {f"no_{name}" for name in names(Kind.FLAGS, version)}
    owners = OWNERS | {f"no_{name}": owner for name, owner in OWNERS.items()}
    return ExtraArguments(
        server=f"vLLM {format_version(version)}",
        owners=owners,
        refused=REFUSED,
        known=names(Kind.ARGUMENTS, version) | switched_off if is_known(version) else (),
        unknown=", so that it would stop at once",
        meant=OTHER_NAMES.meant,
    )
