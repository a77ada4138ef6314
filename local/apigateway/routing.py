"""Finds the resource and method of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.apigateway.api import Method, Resource

# The verbs of API Gateway, which a method ANY matches.
ANY = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


@dataclass(frozen=True, slots=True)
class Route:
    """The resource, method and path parameters of a request.

    Path parameters keep their percent-encoding, as API Gateway sends them to a Lambda proxy integration. Source:
    LocalStack's recording of AWS in tests/aws/services/apigateway/test_apigateway_lambda.snapshot.json
    (invocation-payload-with-path-encoded-email).
    """

    resource: Resource
    method: Method | None
    parameters: dict[str, str]


def match(root: Resource, path: str, verb: str) -> Route | None:
    """Finds the resource in API Gateway's order: literal parts before `{name}` before `{name+}`, the verb before ANY.

    Args:
        root: The resource `/`.
        path: The path without the stage, for example `/v1/models`. Leading and trailing slashes are ignored.
        verb: The HTTP method.

    Returns:
        The route, with `method` None if the resource does not have the verb; None if there is no resource.
    """
    stripped = path.strip("/")
    found = _descend(root, stripped.split("/") if stripped else [])
    if found is None:
        return None
    resource, parameters = found
    method = resource.methods.get(verb) or (resource.methods.get("ANY") if verb in ANY else None)
    return Route(resource, method, parameters)


def _descend(node: Resource, parts: list[str]) -> tuple[Resource, dict[str, str]] | None:
    if not parts:
        return (node, {}) if node.methods or node.path == "/" else None
    first, rest = parts[0], parts[1:]
    if first in node.children:
        found = _descend(node.children[first], rest)
        if found is not None:
            return found
    greedy: tuple[Resource, dict[str, str]] | None = None
    for part, child in node.children.items():
        if part.startswith("{") and part.endswith("+}"):
            greedy = (child, {part[1:-2]: "/".join(parts)})
        elif part.startswith("{") and first:
            found = _descend(child, rest)
            if found is not None:
                return found[0], {part[1:-1]: first, **found[1]}
    return greedy
