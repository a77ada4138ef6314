"""The account and the Region that a command works in. The one module of the command line that loads boto3."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from constructs_lib.cli.errors import CommandError, PackageMissingError, nearest
from constructs_lib.cli.exit_status import ExitStatus
from constructs_lib.planning.validation.problem import Problem

CONNECT_SECONDS, READ_SECONDS, TRIES = 5, 20, 3
"""What a call waits for, unless the command says otherwise."""

ENVIRONMENT = "AWS_PROFILE, AWS_REGION and the other variables and files that the AWS CLI reads"

_LOG_IN = "Log in: aws sso login, aws login or aws configure; or name a profile with --profile or AWS_PROFILE."
_NETWORK = "Check the network, the proxy (HTTPS_PROXY) and the Region."

# What services say of credentials that they do not accept.
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
_REFUSED = (
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
_CLOCK = ("RequestTimeTooSkewed", "RequestInTheFuture")
_SIGNATURE = "InvalidSignatureException"


class NoAccountError(CommandError):
    """There are no credentials or no Region, or AWS does not accept the credentials."""

    status = ExitStatus.NO_ACCOUNT


@dataclass(frozen=True)
class AwsSession:
    """Credentials and a Region.

    Args:
        boto3: A session of boto3.
        region: The Region.
    """

    boto3: Any
    region: str

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What calls of its clients raise; `account_problem` and `call_problem` say it in words."""
        from botocore.exceptions import BotoCoreError, ClientError

        return (BotoCoreError, ClientError)

    def client(self, service: str, *, read_seconds: float = READ_SECONDS, tries: int = TRIES) -> Any:
        """A client of boto3, whose calls end in time; `aws_errors` says in words how they fail.

        Args:
            service: Its name in boto3, such as `cloudformation`.
            read_seconds: How long each try waits for bytes.
            tries: How often a call is tried in all.

        Raises:
            CommandError: The service cannot be called, because of a wrong endpoint URL in the environment, say.
        """
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": tries},
        )
        try:
            return self.boto3.client(service, config=config)
        except (BotoCoreError, ValueError) as error:
            raise CommandError(Problem("arguments", None, f"{service} cannot be called: {error}", "")) from error


def add_account_options(parser: argparse.ArgumentParser) -> None:
    """Add --profile and --region."""
    parser.add_argument("--profile", metavar="NAME", help="profile of the AWS CLI (default: AWS_PROFILE)")
    parser.add_argument("--region", metavar="REGION", help="Region (default: AWS_REGION, or the profile's)")


def open_session(command: str, profile: str | None = None, region: str | None = None) -> AwsSession:
    """Find credentials and a Region as the AWS CLI does. AWS is not asked whether it accepts them.

    Args:
        command: What needs them, for the error if boto3 is missing.
        profile: A profile. Default: AWS_PROFILE.
        region: The Region. Default: AWS_REGION, AWS_DEFAULT_REGION, or that of the profile.

    Raises:
        NoAccountError: There are none, or the profile does not exist.
        PackageMissingError: boto3 is not installed.
        CommandError: The credentials are to be fetched from where nothing answers.
    """
    session, error = _load_boto3(command)
    try:
        # boto3 does not read AWS_REGION, which the AWS CLI does.
        found = session(
            botocore_session=_botocore_session(),
            profile_name=profile,
            region_name=region or os.environ.get("AWS_REGION") or None,
        )
    except error.ProfileNotFound as missing:
        raise NoAccountError(_profile_problem(profile)) from missing
    problems = []
    if not found.region_name:
        fix = "Give --region, such as --region us-east-1, or set AWS_REGION."
        problems.append(Problem("--region", None, "there is no Region", fix))
    with aws_errors("read the credentials"):
        credentials = found.get_credentials()
        if credentials is None:
            problems.append(Problem("--profile", profile, "there are no credentials", _LOG_IN))
        else:
            credentials.get_frozen_credentials()
    if problems:
        raise NoAccountError(*problems)
    return AwsSession(found, found.region_name)


@contextmanager
def aws_errors(action: str) -> Iterator[None]:
    """Say in words how calls of boto3 in the block failed.

    Args:
        action: What they are for, such as `read the stack Chat`.

    Raises:
        NoAccountError: AWS does not accept the credentials.
        CommandError: AWS refuses the call, or cannot be reached.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        if problem := account_problem(error):
            raise NoAccountError(problem) from error
        raise CommandError(call_problem(action, error)) from error


def account_problem(error: BaseException | None) -> Problem | None:
    """What is wrong with the credentials or the Region, if that is why a call failed; else None.

    Args:
        error: What boto3 raised.
    """
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        return _refusal(error_code(error), error_message(error))
    if isinstance(error, exceptions.NoRegionError):
        fix = "Give --region, such as --region us-east-1, or set AWS_REGION."
        return Problem("--region", None, "there is no Region", fix)
    if isinstance(error, exceptions.InvalidRegionError):
        return Problem("arguments", None, str(error).rstrip("."), "Give --region, such as --region us-east-1.")
    of_credentials = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.TokenRetrievalError,
        exceptions.NoAuthTokenError,
        exceptions.SSOError,
        exceptions.LoginError,
        exceptions.UnknownCredentialError,
        exceptions.RefreshWithMFAUnsupportedError,
        exceptions.InvalidConfigError,
        exceptions.ConfigParseError,
        exceptions.InfiniteLoopConfigError,
    )
    if isinstance(error, of_credentials):
        return Problem("arguments", None, f"there are no usable credentials: {_one_line(error)}", _LOG_IN)
    return None


def call_problem(action: str, error: Exception) -> Problem:
    """Why a call failed, for other reasons than credentials.

    Args:
        action: What it was for, such as `read the stack Chat`.
        error: What boto3 raised.
    """
    from botocore import exceptions

    unreachable = (exceptions.HTTPClientError, exceptions.ConnectionError)
    if isinstance(error, unreachable):
        return Problem("arguments", None, f"AWS cannot be reached to {action}: {_one_line(error)}", _NETWORK)
    if isinstance(error, exceptions.ClientError):
        return Problem("arguments", None, f"AWS does not {action}: {error_code(error)}: {error_message(error)}", "")
    return Problem("arguments", None, f"AWS cannot be asked to {action}: {_one_line(error)}", "")


def error_code(error: Any) -> str:
    """The code of a ClientError, such as `AccessDeniedException`; empty for what AWS has not answered."""
    return str(_answered(error).get("Code", ""))


def error_message(error: Any) -> str:
    """What AWS says in a ClientError, on one line; empty for what AWS has not answered."""
    return " ".join(str(_answered(error).get("Message", "")).split()).rstrip(".")


def _answered(error: Any) -> dict[str, Any]:
    # The errors of HTTP, such as a read timeout, have a response of None.
    found: dict[str, Any] = (getattr(error, "response", None) or {}).get("Error", {})
    return found


def _refusal(code: str, said: str) -> Problem | None:
    if code in _EXPIRED or (code == _SIGNATURE and "credentials" in said.lower() and "expired" in said.lower()):
        return Problem("arguments", None, f"the credentials have expired ({code})", _LOG_IN)
    if code in _CLOCK or (code == _SIGNATURE and ("Signature expired" in said or "not yet current" in said)):
        return Problem("arguments", None, f"AWS refuses the time of the request ({code})", "Set this machine's clock.")
    if code in _REFUSED or code == _SIGNATURE:
        fix = f"{_LOG_IN} They may also be of another partition, or the Region may not be enabled in the account."
        return Problem("arguments", None, f"AWS does not accept the credentials: {code}: {said}".rstrip(": "), fix)
    if code in ("OptInRequired", "SubscriptionRequiredException"):
        return Problem("arguments", None, f"the account may not use the service here: {code}: {said}", "")
    return None


def _load_boto3(command: str) -> tuple[Any, Any]:
    try:
        from boto3.session import Session
        from botocore import exceptions
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("boto3", "botocore"):
            raise
        fix = "Install it: pip install 'tgi-endpoint-cdk[aws]'."
        raise PackageMissingError(Problem(command, None, "requires boto3", fix)) from error
    return Session, exceptions


def _botocore_session() -> Any:
    """A session whose calls raise an error of botocore's also if no AWS answers, but the page of a proxy, say."""
    from botocore.exceptions import HTTPClientError
    from botocore.parsers import ResponseParserError, ResponseParserFactory
    from botocore.session import get_session

    class NotAwsError(HTTPClientError):  # type: ignore[misc]
        fmt = "what answers is not AWS"

    class Factory(ResponseParserFactory):  # type: ignore[misc]
        def create_parser(self, protocol_name: str) -> Any:
            parser = super().create_parser(protocol_name)
            parse = parser.parse

            def parse_or_refuse(response: Any, shape: Any) -> Any:
                try:
                    return parse(response, shape)
                except (ResponseParserError, LookupError, AttributeError, TypeError, ValueError) as error:
                    raise NotAwsError from error

            parser.parse = parse_or_refuse
            return parser

    session = get_session()
    session.register_component("response_parser_factory", Factory())
    return session


def _profile_problem(profile: str | None) -> Problem:
    name = profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or ""
    known = _known_profiles()
    fix = f"Use one of {', '.join(known)}." if known else "aws configure makes one."
    return Problem("--profile" if profile else "AWS_PROFILE", name, "does not exist", nearest(name, known, fix))


def _known_profiles() -> list[str]:
    """The profiles of the files, which a session lists only if it finds the one that it is asked for."""
    import botocore.session

    return list(botocore.session.Session().available_profiles)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")
