"""Which front door `chat` talks to, and with which key: from the arguments, the environment or a deployed stack."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from constructs_lib.cli.aws_session import add_account_options, open_session
from constructs_lib.cli.deployed_front_door import find_front_door, read_key
from constructs_lib.cli.front_door_client import FrontDoor
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from constructs_lib.cli.errors import Parser

URL_VARIABLE, KEY_VARIABLE = "TGI_ENDPOINT_URL", "TGI_ENDPOINT_API_KEY"

_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(\S(?:.*\S)?)", re.ASCII)


def add_target(parser: Parser) -> None:
    """Add the arguments that name a front door."""
    parser.add_argument("--stack", metavar="NAME", help="a deployed stack: its URL and API key, read with boto3")
    parser.add_argument("--url", metavar="URL", help=f"URL of a front door (default: {URL_VARIABLE}, or the stack's)")
    parser.add_argument(
        "--api-key", metavar="KEY", help=f"API key, or access token (default: {KEY_VARIABLE}, or the stack's key)"
    )
    parser.add_argument("--api-key-id", metavar="ID", help="which of the stack's API keys (default: its only one)")
    parser.add_argument(
        "--header", metavar="NAME:VALUE", action="append", help="a header, for an authorizer; may be repeated"
    )
    add_account_options(parser)


def check_target(arguments: argparse.Namespace, problems: list[Problem]) -> None:
    """Add what is wrong with the arguments that name a front door."""
    url = arguments.url or os.environ.get(URL_VARIABLE)
    if not url and not arguments.stack:
        problems.append(Problem("--stack", None, "is missing", "Name a deployed stack, or a front door with --url."))
    if url and _has_password(url):
        problems.append(Problem("--url", None, "has a name or a password in it", "Give the key with --api-key."))
    elif url and not _is_url(url):
        problems.append(Problem("--url", url, "is no URL", "Write it as https://….amazonaws.com/prod."))
    key = arguments.api_key or os.environ.get(KEY_VARIABLE)
    if key and not _is_printable(key):
        # The value is not shown.
        message = "has characters that a header cannot carry"
        problems.append(Problem("--api-key", None, message, "Copy it again, without line ends."))
    # Headers carry keys as well.
    problems += [
        Problem("--header", None, f"number {number} is no header", "Write it in ASCII, as 'X-Tenant: team-a'.")
        for number, header in enumerate(arguments.header or (), start=1)
        if not _HEADER.fullmatch(header) or not header.isprintable() or not header.isascii()
    ]
    needs_stack = {"--api-key-id": arguments.api_key_id, "--profile": arguments.profile, "--region": arguments.region}
    problems += [
        Problem(name, value, "is for a stack", "Add --stack, or leave it out.")
        for name, value in needs_stack.items()
        if value is not None and not arguments.stack
    ]


def find_target(arguments: argparse.Namespace, seconds: float) -> FrontDoor:
    """The front door that checked arguments name.

    Args:
        arguments: The arguments.
        seconds: How long its client waits for a byte.

    Raises:
        CommandError: The stack cannot be read.
    """
    url = arguments.url or (None if arguments.stack else os.environ.get(URL_VARIABLE))
    key = arguments.api_key or os.environ.get(KEY_VARIABLE)
    headers = _headers(arguments.header or ())
    has_own = "authorization" in {name.lower() for name in headers}
    if arguments.stack:
        session = open_session("chat --stack", arguments.profile, arguments.region)
        deployed = find_front_door(session, arguments.stack, url=url, key_id=arguments.api_key_id)
        url = deployed.url
        if not key and not has_own and deployed.key_id:
            key = read_key(session, deployed.key_id)
    if key and not has_own:
        headers["Authorization"] = f"Bearer {key}"
    return FrontDoor(url=_base(str(url)), headers=headers, seconds=seconds)


def _headers(given: Iterable[str]) -> dict[str, str]:
    matches = (_HEADER.fullmatch(header) for header in given)
    return {match[1]: match[2] for match in matches if match}


def _base(url: str) -> str:
    """The URL without what OpenAI's clients append."""
    return url.rstrip("/").removesuffix("/v1").rstrip("/")


def _has_password(url: str) -> bool:
    return "@" in url.partition("//")[2].partition("/")[0]


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and not parts.query
            and not parts.fragment
            and _is_printable(url)
        )
    except ValueError:
        return False


def _is_printable(text: str) -> bool:
    """Whether a text is of visible ASCII characters, without spaces."""
    return all("!" <= character <= "~" for character in text)
