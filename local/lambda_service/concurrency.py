"""How many invocations run at once.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from __future__ import annotations

from local.lambda_service.errors import FunctionThrottled

# The quota of an account is 1000, of a new one 10. A sandbox is a Python process here, of about 30 MB.
ACCOUNT_LIMIT = 1000


class Concurrency:
    """The invocations that run, of a function with reserved concurrency or of all the others of the account.

    Args:
        limit: How many may run at once.
    """

    def __init__(self, limit: int = ACCOUNT_LIMIT) -> None:
        self.limit = limit
        self.running = 0

    def begin(self) -> None:
        """Counts an invocation that begins; `end` has to follow.

        Raises:
            FunctionThrottled: As many run as may.
        """
        if self.running >= self.limit:
            raise FunctionThrottled.of("TooManyRequestsException", "Rate Exceeded.")
        self.running += 1

    def end(self) -> None:
        """Counts an invocation that has ended."""
        self.running -= 1
