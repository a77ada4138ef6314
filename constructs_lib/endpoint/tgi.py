"""TgiEndpoint: a Hugging Face text model on SageMaker, served by Text Generation Inference."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from constructs_lib._arguments import KEY, ROLE, tag_problems
from constructs_lib._quantities import gibibytes, quantity_problems, seconds
from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import is_token
from constructs_lib._unknown import without_tokens
from constructs_lib.endpoint.hosted import HostedEndpoint, Hosting
from constructs_lib.endpoint.interface import (
    ImportedEndpoint,
    arn_of,
    arn_problems,
    name_from,
    name_problems,
    serving_problems,
)
from constructs_lib.endpoint.model import Model
from constructs_lib.endpoint.network import Network
from constructs_lib.endpoint.tgi_image import TgiImage
from constructs_lib.errors import raise_if_any
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import UNDECIDED, EndpointRequest
from constructs_lib.planning.sagemaker import MAX_BODY_BYTES
from constructs_lib.planning.serving_limits import ServingFacts, ServingOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import Duration, Size
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from constructs_lib.planning.validation.problem import Problem


class TgiEndpoint(HostedEndpoint):
    """A SageMaker real-time endpoint that serves one model with TGI.

    What would keep it from starting is refused at synth, all problems at once; what is legal but risky becomes a
    warning that can be acknowledged. Every change of the model, its options or its hardware makes a new Model and
    EndpointConfig, and the endpoint moves to them in place: it answers throughout, and keeps its name and the number
    of instances that it has by then. It can stand wherever the CDK takes a SageMaker `IEndpoint`, as grantee of
    permissions for its containers, and in a VPC as a party to `connections`.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        model: Which weights: `Model.from_hub` or `Model.from_s3`.
        instance_type: Which instance, billed by the hour for as long as the endpoint exists; that is why there is no
            default. `InstanceType.cheapest_for(tokens=…, concurrency=…)` leaves the choice to the plan: the cheapest
            instance that serves that load by its estimate. A new version of this library may then choose another one.
        image: Which TGI. Default: AWS's image of the newest version that this library knows.
        options: What to tell TGI. Default: every GPU of the instance, and TGI's own choice for the rest.
        instance_count: Instances of a new endpoint. An update leaves a running endpoint's number as it is, so that no
            deployment undoes what a scaling policy or an operator did. Default: 1.
        environment: Further environment variables for the container. What an option covers is refused here. They are
            readable with `sagemaker:DescribeModel`: no secrets. Default: none.
        startup_timeout: How long an instance may take until the model answers, 1 minute to 1 hour. Default: by the
            model's size.
        model_download_timeout: How long SageMaker may take to copy weights from S3, 1 minute to 1 hour. Default: by
            the model's size for weights in S3; none for the hub, where `startup_timeout` covers the download.
        volume_size: Size of the storage volume, 1 to 512 GiB. Instances with local NVMe storage take none. Default:
            SageMaker's.
        volume_key: KMS key that encrypts the storage volume. Instances with local NVMe storage take none, as their
            hardware encrypts. Default: a key of AWS's.
        vpc: VPC that the containers are connected to. Default: none of yours; they reach the internet through
            SageMaker's.
        vpc_subnets: Subnets for the network interfaces. Default: the private ones of the VPC.
        security_groups: Their security groups. Default: a new one that lets nothing in and everything out.
        network_isolation: Cut the containers off from every network, which only weights in S3 allow. Default: False.
        inference_ami_version: Version of the host's machine image, which decides the NVIDIA driver. Default: the one
            that the image's CUDA needs.
        variant_name: Name of the production variant. Default: AllTraffic.
        endpoint_name: Name of the endpoint. Changing it replaces the endpoint. Default: CloudFormation chooses one.
        role: Role that SageMaker assumes; it has to trust sagemaker.amazonaws.com. What the endpoint needs is added to
            it unless it is imported as immutable. Default: a new role that may do only what this endpoint needs.
        tags: Tags of everything in it that can have tags, in addition to those of the stack. Default: none.

    Raises:
        ConfigurationError: It could not be deployed as it is written. Nothing has been made then.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        model: Model,
        instance_type: InstanceType | CheapestFor,
        image: TgiImage | None = None,
        options: TgiOptions | None = None,
        instance_count: int = 1,
        environment: Mapping[str, str] | None = None,
        startup_timeout: Duration | None = None,
        model_download_timeout: Duration | None = None,
        volume_size: Size | None = None,
        volume_key: kms.IKey | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        network_isolation: bool = False,
        inference_ami_version: str | None = None,
        variant_name: str = "AllTraffic",
        endpoint_name: str | None = None,
        role: iam.IRole | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        image = TgiImage.version(TGI.images.newest) if image is None else image
        options = TgiOptions() if options is None else options
        network = Network(vpc, vpc_subnets, security_groups)
        region = environment_of(scope).region
        request = EndpointRequest(
            engine=TGI,
            model=_choice(model),
            instance=UNDECIDED if isinstance(instance_type, CheapestFor) else instance_type,
            cheapest=instance_type if isinstance(instance_type, CheapestFor) else None,
            image=_choice(image),
            options=options,
            environment={} if environment is None else environment,
            region=None if is_token(region) else region,
            instance_count=instance_count,
            startup_timeout_seconds=seconds(startup_timeout),
            model_download_timeout_seconds=seconds(model_download_timeout),
            volume_size_gib=gibibytes(volume_size),
            has_volume_key=volume_key is not None,
            inference_ami_version=inference_ami_version,
            network_isolation=network_isolation,
            endpoint_name=endpoint_name,
            variant_name=variant_name,
        )
        planned = plan(without_tokens(request))
        quantities = quantity_problems(
            startup_timeout=startup_timeout, model_download_timeout=model_download_timeout, volume_size=volume_size
        )
        kinds = [*KEY.problems("volume_key", volume_key), *ROLE.problems("role", role), *tag_problems(tags)]
        found = [*planned.problems, *_part_problems(model, image), *quantities, *network.problems(), *kinds]
        raise_if_any(scope, id, found)
        super().__init__(
            scope,
            id,
            request=replace(request, instance=planned.instance),
            plan=planned,
            hosting=Hosting(
                model=model,
                image=image._source,
                network=network,
                volume_key=volume_key,
                role=role,
                tags=tags or {},
            ),
        )

    @property
    def engine(self) -> str:
        """What runs in the container and decides the protocol: `tgi`."""
        return TGI.name

    @staticmethod
    def from_endpoint_name(
        scope: Construct,
        id: str,
        endpoint_name: str,
        *,
        variant_name: str = "AllTraffic",
        model_id: str | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        **serving: Unpack[ServingOptions],
    ) -> ImportedEndpoint:
        """A TGI endpoint that exists already, in the stack's own account and Region.

        Args:
            scope: Parent construct.
            id: Identifier within the parent.
            endpoint_name: Its name, capitals as SageMaker shows them.
            variant_name: Name of its production variant, for metrics. Default: AllTraffic.
            model_id: The model's repository on the hub. Default: not known.
            max_body_bytes: Most bytes that one request may have. Default: 6291456, what SageMaker takes.
            serving: How the model is served, by the names of `ServingFacts`, such as `max_total_tokens=4096`. A front
                door tells its clients, and holds requests to it. Default: not known.

        Raises:
            ConfigurationError: It could be no endpoint.
        """
        facts = ServingFacts(**serving)
        described = serving_problems(
            variant_name=variant_name, model_id=model_id, max_body_bytes=max_body_bytes, serving=facts, engine=TGI
        )
        raise_if_any(scope, id, [*name_problems(endpoint_name), *described])
        return ImportedEndpoint(
            scope,
            id,
            endpoint_arn=arn_of(scope, endpoint_name),
            endpoint_name=endpoint_name,
            engine=TGI.name,
            variant_name=variant_name,
            model_id=model_id,
            max_body_bytes=max_body_bytes,
            serving=facts,
        )

    @staticmethod
    def from_endpoint_arn(
        scope: Construct,
        id: str,
        endpoint_arn: str,
        *,
        endpoint_name: str | None = None,
        variant_name: str = "AllTraffic",
        model_id: str | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        **serving: Unpack[ServingOptions],
    ) -> ImportedEndpoint:
        """A TGI endpoint that exists already, in any account and Region.

        Args:
            scope: Parent construct.
            id: Identifier within the parent.
            endpoint_arn: Its ARN.
            endpoint_name: Its name where that has capitals: calls must match them, and ARNs have them in lower case.
                Default: the name in the ARN.
            variant_name: Name of its production variant, for metrics. Default: AllTraffic.
            model_id: The model's repository on the hub. Default: not known.
            max_body_bytes: Most bytes that one request may have. Default: 6291456, what SageMaker takes.
            serving: How the model is served, by the names of `ServingFacts`, such as `max_total_tokens=4096`. A front
                door tells its clients, and holds requests to it. Default: not known.

        Raises:
            ConfigurationError: It could be no endpoint.
        """
        facts = ServingFacts(**serving)
        described = serving_problems(
            variant_name=variant_name, model_id=model_id, max_body_bytes=max_body_bytes, serving=facts, engine=TGI
        )
        named = () if endpoint_name is None else name_problems(endpoint_name)
        raise_if_any(scope, id, [*arn_problems(endpoint_arn), *named, *described])
        return ImportedEndpoint(
            scope,
            id,
            endpoint_arn=endpoint_arn,
            endpoint_name=name_from(endpoint_arn) if endpoint_name is None else endpoint_name,
            engine=TGI.name,
            variant_name=variant_name,
            model_id=model_id,
            max_body_bytes=max_body_bytes,
            serving=facts,
        )


def _choice(part: object) -> Any:
    """What the plan is told of a model or an image; anything else as it is, for the plan to refuse."""
    if isinstance(part, Model):
        return part._choice()
    return part._choice if isinstance(part, TgiImage) else part


def _part_problems(model: object, image: object) -> list[Problem]:
    found = list(model._problems()) if isinstance(model, Model) else []
    return found + (image._source.problems() if isinstance(image, TgiImage) else [])
