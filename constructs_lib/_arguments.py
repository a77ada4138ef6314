"""Type checks of arguments that are CDK objects, so that all problems are reported before jsii raises for the first."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from aws_cdk import Duration, Size, SizeRoundingBehavior
from aws_cdk import aws_ec2 as ec2

from constructs_lib._tokens import is_token
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import String, problem

# The CDK keeps constructs by their ids in a JavaScript object, which has these already.
_RESERVED_IDS = frozenset(
    ("constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf")
)
_MODEL_NAME = re.compile(r"[A-Za-z0-9._-]{1,63}")


@dataclass(frozen=True, slots=True)
class ConstructType:
    """One type of construct.

    Args:
        method: A member that every construct of the type has and no other: isinstance fails for the CDK's interfaces.
        description: The type in words, with its article.
        fix: How to get one.
    """

    method: str
    description: str
    fix: str

    def matches(self, value: object) -> bool:
        """Whether the value is of the type, and not the class itself."""
        return not isinstance(value, type) and hasattr(value, self.method)

    def problems(self, keyword: str, value: object, *, required: bool = False) -> Iterator[Problem]:
        """The problem of a value, if any; None is allowed unless the value is required."""
        if (required or value is not None) and not self.matches(value):
            yield Problem(keyword, value, f"must be {self.description}, not {type_name(value)}", self.fix)

    def list_problems(self, keyword: str, values: object) -> Iterator[Problem]:
        """The problems of a list of the type; None is allowed."""
        if values is None:
            return
        if isinstance(values, str) or not isinstance(values, Sequence):
            fix = "Put it in a list: […]." if self.matches(values) else self.fix
            message = f"must be a list whose every item is {self.description}, not {type_name(values)}"
            yield Problem(keyword, values, message, fix)
            return
        for index, value in enumerate(values):
            if not self.matches(value):
                message = f"must be {self.description}, not {type_name(value)}"
                yield Problem(f"{keyword}[{index}]", value, message, self.fix)


VPC = ConstructType(
    "select_subnets", "a VPC of aws_ec2", 'Give aws_ec2.Vpc.from_lookup(self, "Vpc", vpc_id="<its id>"), or a new one.'
)
SUBNET = ConstructType(
    "associate_network_acl", "a subnet of aws_ec2", 'Give aws_ec2.Subnet.from_subnet_id(self, "Subnet", "<its id>").'
)
SECURITY_GROUP = ConstructType(
    "add_ingress_rule",
    "a security group of aws_ec2",
    'Give aws_ec2.SecurityGroup.from_security_group_id(self, "Group", "<its id>").',
)
ROLE = ConstructType(
    "grant_assume_role", "a role of aws_iam", 'Give aws_iam.Role.from_role_arn(self, "OwnRole", "<its ARN>").'
)
KEY = ConstructType("grant_decrypt", "a key of aws_kms", 'Give aws_kms.Key.from_key_arn(self, "Key", "<its ARN>").')
REPOSITORY = ConstructType(
    "repository_uri_for_tag_or_digest",
    "a repository of aws_ecr",
    'Give aws_ecr.Repository.from_repository_name(self, "Repository", "<its name>").',
)
SECRET = ConstructType(
    "secret_value_from_json",
    "a Secrets Manager secret",
    'Give aws_secretsmanager.Secret.from_secret_name_v2(self, "Token", "<its name>").',
)
BUCKET = ConstructType(
    "arn_for_objects", "a bucket of aws_s3", 'Give aws_s3.Bucket.from_bucket_name(self, "Weights", "<its name>").'
)
TOPIC = ConstructType(
    "metric_number_of_notifications_delivered",
    "a topic of aws_sns",
    'Give aws_sns.Topic.from_topic_arn(self, "Topic", "<its ARN>"), or a new one.',
)
VPC_ENDPOINT = ConstructType(
    "vpc_endpoint_id",
    "a VPC endpoint of aws_ec2",
    "Give aws_ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(…), or a new one for execute-api.",
)
CERTIFICATE = ConstructType(
    "certificate_arn",
    "a certificate of aws_certificatemanager",
    'Give aws_certificatemanager.Certificate.from_certificate_arn(self, "Certificate", "<its ARN>").',
)
HOSTED_ZONE = ConstructType(
    "hosted_zone_id",
    "a hosted zone of aws_route53",
    'Give aws_route53.HostedZone.from_lookup(self, "Zone", domain_name="<its name>").',
)
WEB_ACL = ConstructType(
    "attr_label_namespace", "a CfnWebACL of aws_wafv2", "Give one, or WebAcl.from_arn(…) or .managed()."
)
USER_POOL = ConstructType(
    "user_pool_provider_name",
    "a user pool of aws_cognito",
    'Give aws_cognito.UserPool.from_user_pool_id(self, "Users", "<its id>").',
)
USER_POOL_CLIENT = ConstructType(
    "user_pool_client_id",
    "an app client of aws_cognito",
    'Give aws_cognito.UserPoolClient.from_user_pool_client_id(self, "Client", "<its id>").',
)
FUNCTION = ConstructType(
    "grant_invoke_url",
    "a function of aws_lambda",
    'Give aws_lambda.Function.from_function_name(self, "Authorizer", "<its name>").',
)


def subnet_problems(selection: object) -> Iterator[Problem]:
    """The problems of a selection of subnets; None is allowed."""
    if isinstance(selection, ec2.SubnetSelection):
        yield from SUBNET.list_problems("vpc_subnets.subnets", selection.subnets)
    elif selection is not None:
        fix = "Write aws_ec2.SubnetSelection(subnet_type=…), or (subnets=[…])."
        message = f"must be a SubnetSelection of aws_ec2, not {type_name(selection)}"
        yield Problem("vpc_subnets", selection, message, fix)


def tag_problems(tags: object) -> Iterator[Problem]:
    """The problems of tags; None is allowed."""
    if tags is None:
        return
    if not isinstance(tags, Mapping):
        yield Problem("tags", tags, f"must be a mapping, not {type_name(tags)}", "Write {'team': 'chat'}.")
        return
    for key, value in tags.items():
        if found := problem("tags", key, String()):
            yield Problem("tags", key, f"a key {found.message}", "Give a str.")
        if not isinstance(value, str):
            fix = f"Write {str(value)!r}." if isinstance(value, int | float) else "Give a str."
            yield Problem(f"tags[{key!r}]", value, f"must be a string, not {type_name(value)}", fix)


def model_name_problems(name: object) -> Iterator[Problem]:
    """The problem of a name under which clients call a model: it is in URLs, in JSON and in requests."""
    if not isinstance(name, str) or not _MODEL_NAME.fullmatch(name):
        yield Problem(
            "models",
            name,
            "a model's name must be 1 to 63 letters, digits, dots, underscores or hyphens",
            "Rename it; it appears in URLs and in the `model` field of requests.",
        )


def is_reserved_id(name: object) -> bool:
    """Whether the CDK has a name for itself, so that no construct can have it as its id."""
    return isinstance(name, str) and (name in _RESERVED_IDS or name.startswith("__"))


def type_name(value: object) -> str:
    """The type of a value, for an error message."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return "None" if value is None else type(value).__name__


def seconds(duration: Duration | None) -> int | None:
    """Whole seconds, or the fraction as it is for the plan to reject; None if the argument is no Duration."""
    return _integral(duration.to_seconds(integral=False)) if isinstance(duration, Duration) else None


def gibibytes(size: Size | None) -> int | None:
    """Whole GiB, or the fraction as it is for the plan to reject; None if the argument is no Size."""
    return _integral(size.to_gibibytes(rounding=SizeRoundingBehavior.NONE)) if isinstance(size, Size) else None


def quantity_problems(**quantities: object) -> list[Problem]:
    """Problems of arguments that must be a Duration or a Size, as a plain number has no unit.

    Args:
        quantities: The arguments by keyword; keywords that end in `_size` take a Size. None is allowed.
    """
    return [
        _quantity_problem(keyword, value)
        for keyword, value in quantities.items()
        if value is not None and not isinstance(value, Size if keyword.endswith("_size") else Duration)
    ]


def is_number(value: object) -> TypeGuard[float]:
    """Whether the value is a finite number, and no integer that exceeds every float: the CDK's numbers are floats."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def is_whole_number(value: object) -> TypeGuard[float]:
    """Whether the value is a whole number; the CDK's numbers are floats, so 20.0 is one."""
    return is_number(value) and value == int(value)


def _quantity_problem(keyword: str, value: object) -> Problem:
    name, example = ("Size", "Size.gibibytes") if keyword.endswith("_size") else ("Duration", "Duration.seconds")
    return Problem(
        keyword=keyword,
        value=value,
        message=f"must be a {name} of aws_cdk, which has a unit",
        fix=f"Write {example}({value if isinstance(value, int | float) else '…'}).",
    )


def _integral(number: float) -> int:
    return int(number) if not is_token(number) and number == int(number) else number  # type: ignore[return-value]
