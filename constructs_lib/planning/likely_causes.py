"""Why a model may give no token although its endpoint is in service, by its plan.

A container is in service once it answers its health check. By the reports in tests/field, what fails after that is
mostly memory, then an image that the host, the weights or the front door do not fit, then a model that is too slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from constructs_lib.planning import image_rules
from constructs_lib.planning.request import EndpointPlan, EndpointRequest
from constructs_lib.planning.validation.unknown import Unknown

COUNT = 3
"""How many causes are named."""

MAX_LENGTH = 200
"""Characters of one cause, so that all fit into what CloudFormation shows of a failure."""

_GIB = 2**30
_AMPLE = 0.25
"""Share of the GPU memory from which on running out of it is no more likely than anything else."""

# By the id of a warning that the plan gives, the likeliest first.
_BY_WARNING = {
    "tgi-endpoint:neuronCache": "The hub's cache may have no model compiled for these sizes and this image: look for"
    " 'No compatible' and 'No cached version' in the model's log.",
    "tgi-endpoint:neuronExport": "The folder in S3 may hold no exported model, or one for other sizes: look for 'neuron"
    " config' in the model's log.",
    "tgi-endpoint:inferenceAmiMismatch": "The driver of inference_ami_version does not fit the image's CUDA: leave it"
    " out, and the plan chooses.",
    "tgi-endpoint:driverTooOld": "The host may have no driver for these GPUs: take ml.g6e or ml.g7e, or a newer machine"
    " image (inference_ami_version).",
    "tgi-endpoint:imageCudaUnknown": "The image's CUDA may need a newer driver than SageMaker's default host has:"
    " declare it with cuda of the image.",
    "tgi-endpoint:ownBuildUnchecked": "The build may not run what the version that it is based on does not: see the"
    " warnings of cdk synth.",
    "tgi-endpoint:unpublishedEntrypoint": "Hugging Face's image may not read the variables of AWS's: look at the"
    " server's arguments in the model's log, or take AWS's image.",
    "tgi-endpoint:unknownRelease": "The version is not known here, so nothing was checked for it: look for"
    " 'unrecognized arguments' in the model's log.",
    "tgi-endpoint:servingProperties": "A serving.properties or model.py beside the weights may replace what the options"
    " say: leave both out of the folder.",
    "tgi-endpoint:noOptimizedImplementation": "The image has no implementation of its own for this model and runs it"
    " slowly: take a newer version or another model.",
    "tgi-endpoint:blackwellUntested": "The engine was never tested on these GPUs, so its kernels may fail: take an"
    " instance type with older ones.",
    "tgi-endpoint:chatOnly": "With messages_api_enabled this version accepts only chats, and the test sends a"
    " completion: leave the option out, or switch the smoke test off.",
    "tgi-endpoint:unreadVariable": "A variable in environment is read by nothing, so the setting that was meant is not"
    " in force: see the warnings of cdk synth.",
    "tgi-endpoint:unknownModel": "Nothing is known of the model, so neither memory nor limits were checked: describe"
    " it with `tgi-endpoint models add`.",
    "tgi-endpoint:shorterRequests": "The memory has room for few tokens, so that requests wait: take larger GPUs.",
    "tgi-endpoint:longerThanPositions": "The context is longer than the model's positions: lower max_total_tokens.",
    "tgi-endpoint:longestStartup": "Loading takes about as long as SageMaker allows: take weights from S3.",
    "tgi-endpoint:longestDownload": "Downloading takes about as long as SageMaker allows: take a folder in S3.",
    "tgi-endpoint:internetRouteUnknown": "The subnets may have no route to the hub: they need one to a NAT gateway.",
    "tgi-endpoint:s3RouteUnknown": "The subnets may not reach S3: their VPC needs an endpoint for it.",
    "tgi-endpoint:mayBeGated": "The hub may want a token for this model: pass one to Model.from_hub.",
}


def likely_causes(request: EndpointRequest, plan: EndpointPlan) -> tuple[str, ...]:
    """The three likeliest causes, the likeliest first; each a sentence with what to do, of at most 200 characters.

    Args:
        request: What the caller asks for, with its tokens hidden.
        plan: Its plan, without problems.
    """
    return tuple(islice(_causes(request, plan), COUNT))


def _causes(request: EndpointRequest, plan: EndpointPlan) -> Iterator[str]:
    warned = {warning.id for warning in plan.warnings}
    is_tight = plan.memory is not None and plan.memory.is_tight
    if is_tight:
        yield _memory(request, plan)
    if image_rules.is_callers_own(request):
        declared = not request.images.versions  # nobody but the caller publishes such images
        requests = "the requests of its protocol" if declared else f"{request.engine.display_name}'s requests"
        yield f"The image is your own: it has to answer {requests} at POST /invocations, and stream them."
    yield from (cause for warning, cause in _BY_WARNING.items() if warning in warned)
    yield from _compression(request, plan)
    if plan.memory is not None and not is_tight and plan.memory.spare < _AMPLE:
        yield _memory(request, plan)
    yield (
        "The container failed after its health check: look for 'out of memory', 'CUDA error' and 'panicked' in the"
        " model's log."
    )
    if request.model.source == "hub" and request.model.has_token:
        yield (
            "The hub token may have expired, or its account has not accepted the model's licence: look for 401 and 403"
            " in the model's log."
        )
    yield (
        "The front door's role may not invoke the endpoint: look for a service control policy or a permissions boundary"
        " that denies sagemaker:InvokeEndpointWithResponseStream."
    )
    yield "The first token takes longer than 50 s: take faster GPUs."


def _compression(request: EndpointRequest, plan: EndpointPlan) -> Iterator[str]:
    quantize, option = plan.serving.quantize, request.engine.memory_model.option_names.compression
    if not isinstance(quantize, str):
        return
    if option and getattr(request.options, option, None) is not None:
        yield (
            f"The weights may not have the form that {option}={quantize[:40]} expects, or its kernels fail on"
            f" {_accelerator(plan)}: try without."
        )
    else:
        yield (
            f"The kernels for weights in {quantize[:40]} may fail on {_accelerator(plan)}: take an instance type with"
            " newer GPUs, or uncompressed weights."
        )


def _memory(request: EndpointRequest, plan: EndpointPlan) -> str:
    hardware, sizes = request.engine.hardware, " or ".join(request.engine.memory_model.option_names.sizes[:2])
    left = 0.0 if plan.memory is None else plan.memory.slack / _GIB
    margin = f"{left:.1f} GiB to spare" if left >= 0 else f"{-left:.1f} GiB too little"
    return (
        f"Out of memory: by the plan each {hardware.unit} of {plan.instance.name[:40]} has {margin}. Use"
        f" {hardware.larger}, or lower {sizes}."
    )


def _accelerator(plan: EndpointPlan) -> str:
    accelerator: object = plan.instance.accelerator
    return "this GPU" if isinstance(accelerator, Unknown) else str(accelerator)[:30]
