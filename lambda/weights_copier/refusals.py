"""What the hub means by a refusal, in words for whoever deploys."""

from __future__ import annotations

from email.message import Message

from weights_copier.request import StagingRequest


def refusal_words(request: StagingRequest, account: str | None, status: int, headers: Message, path: str | None) -> str:
    """Why the hub answered 401, 403, 404 or the like.

    Its header X-Error-Code decides, where it is there: a mirror may leave it out, and the hub itself does if it does
    not want to say whether there is such a repository.

    Args:
        request: What is copied.
        account: Where the token is from, such as `secret hugging-face-token`. None: no token was sent.
        status: The status.
        headers: Headers of the answer.
        path: The file that was asked for. None: it was not about one.
    """
    code = headers.get("X-Error-Code")
    repository = request.repository
    if status == 401 and account is not None:
        return f"the hub does not accept the token of {account}: it has expired, was revoked, or is not whole"
    if code == "GatedRepo":
        if account is None:
            return f"{repository} is gated and no token was given"
        return (
            f"{repository} is gated: the account of {account} is not on its list;"
            f" ask at the model's page, {request.hub.rstrip('/')}/{repository}"
        )
    if code == "RevisionNotFound":
        return f"commit {request.revision} is not in {repository}"
    if code == "EntryNotFound" or (status == 404 and code is None and path is not None):
        return f"{path or 'a file'} is not in commit {request.revision} of {repository}"
    if code == "RepoNotFound" or status in (401, 404):
        if account is None:
            return f"{repository} was not found, or is private or gated and no token was given"
        return f"{repository} was not found, or the token of {account} cannot see it"
    said = headers.get("X-Error-Message")
    about = f": {said}" if said else ""
    return f"the hub refuses {path or repository} with status {status}{about}"
