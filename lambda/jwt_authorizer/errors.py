"""What can go wrong with a token, and with asking its issuer."""


class TokenError(Exception):
    """The token does not let its bearer in.

    Args:
        reason: One of a few fixed texts; nothing of the token.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class IssuerError(Exception):
    """The issuer did not answer with what it should."""
