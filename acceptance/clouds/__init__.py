"""What the run needs of a cloud: AWS, or the emulated one. Everything else is the same code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from acceptance.probe import Cloud as Kind


class DeploymentFailedError(Exception):
    """The CDK CLI could not deploy a stack; the text is the end of what it said."""


class NoAccessError(Exception):
    """There are no credentials, or no Region."""


class Cloud(Protocol):
    """A cloud.

    Attributes:
        kind: Which one.
        account: The id of the account.
        region: The Region.
        patience: By how much shorter everything is here that takes minutes on AWS: 1 there.
    """

    kind: Kind
    account: str
    region: str
    patience: float

    def client(self, service: str) -> Any:
        """The client of a service, of boto3 or botocore."""

    def synth(self, context: Mapping[str, str]) -> None:
        """Makes the templates with these context values, without asking the cloud anything.

        Raises:
            DeploymentFailedError: The plan has problems.
        """

    def deploy(self, stack: str, context: Mapping[str, str], say: Callable[[str], None]) -> None:
        """Deploys a stack with these context values; `say` gets each line of the CDK CLI.

        Raises:
            DeploymentFailedError: It failed, and CloudFormation has rolled it back, or is about to.
        """

    def url(self, outputs: Mapping[str, str]) -> str:
        """The URL of the front door, without a slash at its end."""

    def api_key(self, key_id: str) -> str:
        """The value of an API key."""

    def log_lines(self, group: str, since: float) -> list[str]:
        """The lines of a log group from a moment on, in seconds since 1970."""

    def copies(self, component: str) -> int:
        """How many copies an inference component has."""

    def close(self) -> None:
        """Ends what the run has started here. It deletes nothing."""
