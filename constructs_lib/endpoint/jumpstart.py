"""JumpStartEndpoint: a model of SageMaker JumpStart, as AWS publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Unpack

from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import hide_token, is_token
from constructs_lib.endpoint.container_image import UriImage
from constructs_lib.endpoint.endpoint_options import EndpointOptions, endpoint_arguments
from constructs_lib.endpoint.jumpstart_model import JumpStartImage, JumpStartModel, PinnedWeights
from constructs_lib.endpoint.real_time import RealTimeEndpoint
from constructs_lib.errors import raise_if_any
from constructs_lib.planning.engines.jumpstart.engine import JumpStartEngine, NoOptions, Selection
from constructs_lib.planning.engines.jumpstart.rules import selection_problems
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.scaling.pools import is_list
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from constructs_lib.planning.engines.jumpstart.pinned import PinnedModel

_TAGS = {
    "sagemaker-studio:jumpstart-model-id": "model_id",
    "sagemaker-studio:jumpstart-model-version": "version",
}
_HUB_TAG = ("sagemaker-studio:jumpstart-hub-name", "SageMakerPublicHub")


class JumpStartEndpoint(RealTimeEndpoint):
    """A SageMaker real-time endpoint for a model of SageMaker JumpStart.

    Image, weights, variables, network isolation, storage and timeouts are those that AWS publishes for the instance
    type; `tgi-endpoint jumpstart add` has pinned them in a file, so that they change only when that file changes. What
    is known of the container decides how a front door speaks to it. Memory is not planned: AWS names the instance types
    on which the model runs. It can be used wherever a `TgiEndpoint` can.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        model: The model: `JumpStartModel.from_file`. The stack's Region must be one of the file's.
        instance_type: An instance type of the file, billed by the hour for as long as the endpoint exists, so there is
            no default. A list of up to 5 types by priority, if all of them have the same image and weights.
        engine: What a front door speaks to the container: `tgi`, `vllm`, `sglang`, `lmi`, or `openai` for another one
            that takes OpenAI's chats. Required if the image is none of AWS's for these. Default: by the image.
        arguments: Further arguments, the same for every engine: the members of `EndpointOptions`. `environment`
            replaces what the file has for the instance type, variable by variable; `network_isolation`, `volume_size`,
            `startup_timeout`, `model_download_timeout` and `inference_ami_version` have the file's value as their
            default, if it has one that the instance takes.

    Raises:
        ConfigurationError: The endpoint could not be deployed with these arguments. No resource has been created.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        model: JumpStartModel,
        instance_type: InstanceType | Sequence[InstanceType],
        engine: Literal["tgi", "vllm", "sglang", "lmi", "openai"] | None = None,
        **arguments: Unpack[EndpointOptions],
    ) -> None:
        raise_if_any(scope, id, _model_problems(model))
        region = environment_of(scope).region
        types = _types(instance_type)
        pinned, names = model.pinned, [one.name for one in types]
        environment = arguments.get("environment")
        selection = Selection(
            model=pinned,
            region=region if region in pinned.regions else None,
            instance_type=next((name for name in names if name in pinned.instance_types), None),
            protocol=engine,
            environment=_known(environment) if isinstance(environment, Mapping) else {},
        )
        problems = selection_problems(
            selection,
            stack_region=None if is_token(region) else region,
            accept_eula=hide_token(model.accept_eula),
            scales_to_zero=arguments.get("scale_to_zero") is not None,
        )
        self._jumpstart_engine = JumpStartEngine(selection)
        images = self._jumpstart_engine.images
        super().__init__(
            scope,
            id,
            engine=self._jumpstart_engine,
            arguments=endpoint_arguments(
                type(self),
                _with_defaults(arguments, pinned, types),
                model=PinnedWeights(selection, accept_eula=model.accept_eula, problems=list(problems)),
                instance_type=instance_type,
                image=JumpStartImage(ImageChoice(version=images.newest, family=images), UriImage(selection.image)),
                options=NoOptions(),
            ),
        )

    @property
    def engine(self) -> str:
        """What the container speaks, which decides how a front door calls it."""
        return self._jumpstart_engine.name


def _model_problems(model: object) -> list[Problem]:
    if isinstance(model, JumpStartModel):
        return []
    message = f"must be a JumpStartModel, not {type(model).__name__}"
    return [Problem("model", model, message, "Write JumpStartModel.from_file(…).")]


def _types(given: object) -> list[InstanceType]:
    """The instance types that are some, in the order of their priority."""
    return [one for one in (given if is_list(given) else [given]) if isinstance(one, InstanceType)]


def _known(environment: Mapping[str, str]) -> dict[str, object]:
    return {name: hide_token(value) for name, value in environment.items()}


def _with_defaults(given: EndpointOptions, pinned: PinnedModel, types: Sequence[InstanceType]) -> EndpointOptions:
    """The arguments with what the file has for those that are left out."""
    # Imported here: the CDK's own classes are needed only once there is something to say with them.
    from aws_cdk import Duration, Size

    defaults: dict[str, Any] = {"network_isolation": pinned.network_isolation}
    if pinned.startup_seconds:
        defaults["startup_timeout"] = Duration.seconds(pinned.startup_seconds)
    if pinned.download_seconds:
        defaults["model_download_timeout"] = Duration.seconds(pinned.download_seconds)
    if pinned.volume_gib and types and all(one.volume_configurable for one in types):
        defaults["volume_size"] = Size.gibibytes(pinned.volume_gib)
    if pinned.inference_ami_version:
        defaults["inference_ami_version"] = pinned.inference_ami_version
    tags = given.get("tags")
    if tags is None or isinstance(tags, Mapping):
        own = {key: getattr(pinned, member) for key, member in _TAGS.items()} | dict([_HUB_TAG])
        given = {**given, "tags": {**own, **(tags or {})}}
    left_out: Any = {name: value for name, value in defaults.items() if given.get(name) is None}
    return {**given, **left_out}
