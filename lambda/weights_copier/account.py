"""The hub's token, and how failures name where it is from."""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from weights_copier.failure import StagingError, one_line

_ARN = re.compile(r"arn:[^:]+:secretsmanager:[^:]+:\d*:secret:(?P<name>.+?)(?:-[A-Za-z0-9]{6})?")
_TOKEN = re.compile(r"[!-~]+")


def secret_name(secret: str) -> str:
    """The name of a secret, given that or its ARN."""
    found = _ARN.fullmatch(secret)
    return found["name"] if found else secret


def read_secret(client: Any, secret: str) -> str:
    """The token in a secret.

    Args:
        client: boto3's client of Secrets Manager.
        secret: ARN or name.

    Raises:
        StagingError: It cannot be read, or is no token.
    """
    name = secret_name(secret)
    try:
        value = client.get_secret_value(SecretId=secret).get("SecretString")
    except ClientError as error:
        about = error.response.get("Error", {})
        said = one_line(str(about.get("Message", "")))
        raise StagingError(f"secret {name} cannot be read: {about.get('Code')}: {said}") from error
    except BotoCoreError as error:
        raise StagingError(f"secret {name} cannot be read: {error}") from error
    return checked(value or "", f"secret {name}")


def checked(token: str, account: str) -> str:
    """The token without white space around it.

    Args:
        token: What was found.
        account: Where, in words.

    Raises:
        StagingError: It is no token: a whole JSON object, several lines, or nothing.
    """
    token = token.strip()
    if not _TOKEN.fullmatch(token) or token.startswith("{"):
        raise StagingError(f"{account} has no token of the hub: its whole value must be the token, such as hf_…")
    return token
