"""What the exit status of a command means."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """The exit status of every command.

    Attributes:
        FINE: What was asked for is done, or nothing was found.
        FINDING: Nothing fits, an option is lost, an endpoint has a problem; or the command could not finish.
        USAGE: The arguments are wrong, or a package that the command requires is not installed.
        NO_ACCOUNT: There are no credentials or no Region, or AWS does not accept the credentials.
        INTERRUPTED: Stopped by Ctrl-C or SIGTERM, as shells report it.
    """

    FINE = 0
    FINDING = 1
    USAGE = 2
    NO_ACCOUNT = 3
    INTERRUPTED = 130


WITHOUT_AWS = "0 fine, 1 failed, 2 usage error"
"""What --help says of a command that does not say more."""

WITH_AWS = "2 usage error or boto3 is missing, 3 no credentials or Region, 130 stopped"
"""The end of what --help says of a command that calls AWS."""
