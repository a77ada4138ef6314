"""Checks of an image that the caller names by its repository and tag: AWS's own, or a copy of it.

Source: botocore 1.44.5, sagemaker `ContainerDefinition.Image` (the image must be in the endpoint's Region); the images
that AWS publishes are those of images.json.
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.images.catalogue import ImageUri, parse_uri
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.validation.problem import PlanWarning, Problem

_SERVERS = {
    "djl-inference": "DJL Serving (LMI)",
    "huggingface-pytorch-inference": "Hugging Face's inference toolkit",
    "huggingface-vllm": "vLLM",
    "huggingface-sglang": "SGLang",
    "vllm": "vLLM",
    "sglang": "SGLang",
}
"""Who serves in the images of AWS's other repositories."""


def is_callers_own(request: EndpointRequest) -> bool:
    """Whether the image is neither of the catalogue nor in a registry of AWS's, so that anything may be in it."""
    uri = _uri(request)
    return request.image_choice.uri_override and (uri is None or not request.images.is_in_registry(uri))


def named_image_problems(request: EndpointRequest) -> Iterator[Problem]:
    """Why an image that is named by its URI is not the one that the request is checked for, or not there."""
    uri = _uri(request)
    if uri is None:
        return
    yield from _region_problems(request, uri)
    if found := kind_problem(request) or _version_problem(request, uri):
        yield found
        return
    if request.images.is_in_registry(uri):
        yield from _registry_problems(request, uri)


def named_image_warnings(request: EndpointRequest) -> Iterator[PlanWarning]:
    """What is not known of an image that is named by its URI."""
    uri, images, version = _uri(request), request.images, request.image_choice.version
    if uri is None or not images.is_in_registry(uri):
        return
    is_listed = images.repository_and_tag(version) is not None
    if not is_listed or (uri.tag and uri.stem not in images.tags(version)):
        missing = uri.tag if is_listed else f"image of {request.engine.display_name} {version}"
        yield PlanWarning(
            "tgi-endpoint:unknownImage",
            f"The catalogue has no {missing}, so whether AWS publishes {uri.repository}:{uri.tag} is not known. It has"
            f" {', '.join(images.versions)}.",
        )


def _uri(request: EndpointRequest) -> ImageUri | None:
    text: object = request.image_choice.uri
    return parse_uri(text) if isinstance(text, str) else None


def _region_problems(request: EndpointRequest, uri: ImageUri) -> Iterator[Problem]:
    region: object = request.region
    if not isinstance(region, str) or region == uri.region:
        return
    in_registry = request.images.is_in_registry(uri)
    fix = _catalogue_fix(request, uri) if in_registry else f"Copy the image to a repository in {region}."
    message = f"is in {uri.region}; SageMaker pulls images from the endpoint's own Region, {region}, only"
    yield Problem("image", request.image_choice.uri, message, fix)


def kind_problem(request: EndpointRequest) -> Problem | None:
    """That the image is one of another server, or for other accelerators."""
    uri = _uri(request)
    if uri is None:
        return None
    engine, given = request.engine, request.image_choice.uri
    fix = _catalogue_fix(request, uri)
    if engine.hardware.any_instance:
        return None
    if uri.is_for_neuron and engine.hardware.is_gpu:
        message = f"is for Inferentia and Trainium, but this construct runs {engine.display_name} on"
        return Problem("image", given, f"{message} {engine.hardware.accelerators}", fix)
    if uri.is_for_gpus and not engine.hardware.is_gpu:
        message = f"is for GPUs, but this construct runs {engine.display_name} on {engine.hardware.accelerators}"
        return Problem("image", given, message, fix)
    if not request.images.is_in_registry(uri) or uri.repository in request.images.repositories:
        return None
    server = _SERVERS.get(uri.repository)
    what = f"is AWS's image of {server}" if server else "is another image of AWS's"
    return Problem("image", given, f"{what}, not of {engine.display_name}", fix)


def _version_problem(request: EndpointRequest, uri: ImageUri) -> Problem | None:
    named, version = request.images.named_version(uri), request.image_choice.version
    if named is None or f"{version}.".startswith(f"{named}."):
        return None
    message = f"its tag names {request.engine.display_name} {named}, but version says {version!r}"
    return Problem("image", request.image_choice.uri, message, "Change version, or give another tag.")


def _registry_problems(request: EndpointRequest, uri: ImageUri) -> Iterator[Problem]:
    images, given = request.images, request.image_choice.uri
    account = images.account(uri.region, images.newest)
    if account is not None and account != uri.account:
        message = f"AWS's images for {uri.region} are in the account {account}, not in {uri.account}"
        yield Problem("image", given, message, _catalogue_fix(request, uri))
    version = request.image_choice.version
    published = images.repository_and_tag(version)
    if uri.tag and published and not images.has_tag(version, uri):
        message = f"AWS publishes no such tag; that of {request.engine.display_name} {version} is {published[1]}"
        yield Problem("image", given, message, _catalogue_fix(request, uri))


def _catalogue_fix(request: EndpointRequest, uri: ImageUri) -> str:
    """The image of the catalogue to use: of the version in the tag, else of that which is given, else the newest."""
    images = request.images
    wanted = (images.named_version(uri), request.image_choice.version)
    known = next((version for version in wanted if version in images.versions), images.newest)
    return f"Write {images.construct}.{images.method}({known!r}), which has the right account, Region and tag."
