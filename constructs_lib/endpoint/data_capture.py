"""DataCapture: requests and answers of an endpoint, as files in S3."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib._arguments import BUCKET, KEY, type_name
from constructs_lib._references import Referred
from constructs_lib._tokens import hide_token, is_token
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Integer, ListOf, String, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3

    from constructs_lib._stack_env import StackEnvironment

DEFAULT_PREFIX = "data-capture"
DEFAULT_SAMPLING = 10

_MODES = {"both": ("Input", "Output"), "input": ("Input",), "output": ("Output",)}
# botocore 1.44.5, sagemaker 2017-07-24, DataCaptureConfig, JsonContentType and DestinationS3Uri. A sampling percentage
# of 0, which SageMaker accepts, captures nothing.
_SAMPLING = Integer(1, 100, unit="percent")
_CONTENT_TYPE = String(
    "a content type such as application/json", r"[a-zA-Z0-9](-*[a-zA-Z0-9])*/[a-zA-Z0-9](-*[a-zA-Z0-9.])*", longest=256
)
_CONTENT_TYPES = ListOf(_CONTENT_TYPE)
_MOST_CONTENT_TYPES = 10
_LONGEST_PREFIX = 440  # 512 characters, minus s3://, a bucket's name and a slash
_PREFIX = re.compile(r"[A-Za-z0-9!_.'()/=-]+")

_BUCKET = Referred(
    noun="bucket",
    rule="an endpoint stores what it captures in its own Region",
    fix="Give a bucket there.",
    name="bucket_name",
)
_KEY = Referred(
    noun="key",
    rule="S3 encrypts objects with keys of the bucket's Region",
    fix="Use a key there, or a replica of a multi-Region key.",
    name=None,
)


@dataclass(frozen=True, kw_only=True)
class DataCapture:
    """Which requests and answers SageMaker stores in S3.

    They are prompts and completions in plain words: restrict who reads the bucket, and let a lifecycle rule delete
    them. SageMaker writes JSON lines to `<prefix>/<endpoint>/<variant>/yyyy/mm/dd/hh/`, minutes after the requests, and
    stops capturing while an instance's disk is fuller than about three quarters. A line has the front door's request id
    as `inferenceId`. What is captured is what the model server gets and sends, not what the front door's clients do.

    Whether SageMaker captures the answers of streaming calls, which a front door makes for nearly every request, no
    document says; an event stream is in the file as Base64.

    The endpoint's role gets `s3:PutObject` below the prefix and, with a key, `kms:GenerateDataKey` and `kms:Decrypt`.
    Source: Amazon SageMaker AI Developer Guide, "Capture data from real-time endpoint".

    Args:
        bucket: The bucket, in the endpoint's Region.
        prefix: The folder inside the bucket. Default: data-capture.
        sampling_percentage: Share of the requests, 1 to 100. Default: 10, which shows what clients send at a tenth of
            the storage.
        what: `both`, `input` or `output`. Default: both.
        key: KMS key that encrypts the files. Default: the bucket's own, else S3's, which encrypts every object.
        json_content_types: Content types that are stored as readable text; all others are stored as Base64. Default:
            application/json.
    """

    bucket: s3.IBucket
    prefix: str = DEFAULT_PREFIX
    sampling_percentage: int = DEFAULT_SAMPLING
    what: Literal["both", "input", "output"] = "both"
    key: kms.IKey | None = None
    json_content_types: Sequence[str] = ("application/json",)

    @property
    def encryption_key(self) -> kms.IKey | None:
        """The key that encrypts the files; None for S3's."""
        return self.bucket.encryption_key if self.key is None else self.key

    @property
    def folder(self) -> str:
        """The prefix without slashes around it."""
        return self.prefix if is_token(self.prefix) else self.prefix.strip("/")

    def render(self) -> sagemaker.CfnEndpointConfig.DataCaptureConfigProperty:
        """The DataCaptureConfig of an EndpointConfig."""
        config = sagemaker.CfnEndpointConfig
        key = self.encryption_key
        return config.DataCaptureConfigProperty(
            enable_capture=True,
            initial_sampling_percentage=self.sampling_percentage,
            destination_s3_uri=f"s3://{self.bucket.bucket_name}/{self.folder}",
            kms_key_id=None if key is None else key.key_arn,
            capture_options=[config.CaptureOptionProperty(capture_mode=mode) for mode in _MODES[self.what]],
            capture_content_type_header=config.CaptureContentTypeHeaderProperty(
                json_content_types=list(self.json_content_types)
            )
            if self.json_content_types
            else None,
        )


def capture_problems(capture: object, here: StackEnvironment) -> Iterator[Problem]:
    """What is wrong with a data capture; None is allowed.

    Args:
        capture: What the caller gives.
        here: The environment of the endpoint's stack.
    """
    if capture is None:
        return
    if not isinstance(capture, DataCapture):
        message = f"must be a DataCapture, not {type_name(capture)}"
        yield Problem("data_capture", capture, message, "Write DataCapture(bucket=…).")
        return
    yield from BUCKET.problems("data_capture.bucket", capture.bucket, required=True)
    yield from KEY.problems("data_capture.key", capture.key)
    if BUCKET.matches(capture.bucket):
        yield from _BUCKET.problems("data_capture.bucket", capture.bucket, here)
    if capture.key is not None and KEY.matches(capture.key):
        yield from _KEY.problems("data_capture.key", capture.key, here)
    yield from _prefix_problems(hide_token(capture.prefix))
    if found := problem("data_capture.sampling_percentage", hide_token(capture.sampling_percentage), _SAMPLING):
        yield found
    if capture.what not in list(_MODES):
        yield Problem("data_capture.what", capture.what, "must be one of both, input, output", "Write what='both'.")
    yield from _content_type_problems(hide_token(capture.json_content_types))


def capture_warnings(
    capture: DataCapture | None, *, has_components: bool, reaches_s3: bool | None
) -> Iterator[PlanWarning]:
    """What the caller should know before anything is stored.

    Args:
        capture: What the caller gives, without problems.
        has_components: Whether the model is an inference component.
        reaches_s3: Whether the endpoint's subnets reach S3; None if that is not known, or without a VPC.
    """
    if capture is None:
        return
    yield PlanWarning(
        "tgi-endpoint:capturesContent",
        f"SageMaker stores {_words(capture)} in S3, with whatever people write: personal data and secrets among it."
        " Restrict who reads the bucket, and delete objects by a lifecycle rule. AWS does not say whether the answers"
        " of streaming calls are captured, which a front door makes for nearly every request: look at the first files.",
    )
    if has_components:
        yield PlanWarning(
            "tgi-endpoint:capturesOfComponents",
            "AWS does not say whether SageMaker captures requests of inference components, which scale_to_zero makes of"
            " the model: look for the first files before you rely on them.",
        )
    if reaches_s3 is False:
        yield PlanWarning(
            "tgi-endpoint:capturesNeedS3",
            "The endpoint's subnets do not reach S3, and then nothing may be captured, without an error: add a gateway"
            " endpoint for S3 to the VPC.",
        )


def immutable_role_warning(capture: DataCapture) -> PlanWarning:
    """The caller's role takes no permission, so the endpoint may not be able to store what it captures.

    Args:
        capture: What the caller gives.
    """
    needed = "s3:PutObject" if capture.encryption_key is None else "s3:PutObject, kms:GenerateDataKey and kms:Decrypt"
    return PlanWarning(
        "tgi-endpoint:capturesNeedRights",
        f"The given role cannot be changed by this app and needs {needed} for the prefix of data_capture; without them"
        " SageMaker captures nothing, and reports no error.",
    )


def _words(capture: DataCapture) -> str:
    what = {"both": "prompts and answers", "input": "prompts", "output": "answers"}[capture.what]
    share: Any = hide_token(capture.sampling_percentage)
    return f"{what} of {share if isinstance(share, int) else 'a part'}{' %' * isinstance(share, int)} of the requests"


def _prefix_problems(prefix: object) -> Iterator[Problem]:
    keyword, fix = "data_capture.prefix", "Give only the folder, such as data-capture/llama."
    if found := problem(keyword, prefix, String(longest=_LONGEST_PREFIX)):
        yield found
    elif isinstance(prefix, str) and ("://" in prefix or not prefix.strip("/") or not _PREFIX.fullmatch(prefix)):
        yield Problem(keyword, prefix, "must be a folder inside the bucket, of letters, digits and !_.'()/=-", fix)


def _content_type_problems(types: object) -> Iterator[Problem]:
    keyword = "data_capture.json_content_types"
    if isinstance(types, Sequence) and not isinstance(types, str) and not types:
        return
    if found := problem(keyword, types, _CONTENT_TYPES):
        yield found
    elif isinstance(types, Sequence) and len(types) > _MOST_CONTENT_TYPES:
        yield Problem(keyword, types, f"must have at most {_MOST_CONTENT_TYPES} items", "Leave some out.")
