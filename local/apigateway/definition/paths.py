"""Builds the resource tree of an API from the paths of its document."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from local.apigateway.api import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

PART = re.compile(r"[a-zA-Z0-9._:-]+|\{[a-zA-Z0-9._:-]+\+?\}")
SIBLING = "A sibling ({}) of this resource already has a variable path part -- only one is allowed"
GREEDY = "Cannot create a child of a resource with a greedy path variable: {}"
CHARACTERS = (
    "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning "
    "and the end: {}"
)


class ResourceTree:
    """A resource tree, built path by path with API Gateway's rules.

    Args:
        problems: Receives a message for each path that API Gateway would reject.

    Attributes:
        root: The resource `/`.
    """

    def __init__(self, problems: list[str]) -> None:
        self._problems = problems
        self.root = _resource("/")

    def add(self, path: str) -> Resource | None:
        """Creates the resource of a path and its missing parents; None if API Gateway would reject the path."""
        for problem in self._path_problems(path):
            self._problems.append(f"Unable to create resource at path '{path}': {problem}")
            return None
        node = self.root
        for part in _parts(path):
            if part not in node.children:
                node.children[part] = _resource(f"{node.path.rstrip('/')}/{part}")
            node = node.children[part]
        return node

    def _path_problems(self, path: str) -> Iterator[str]:
        if not path.startswith("/"):
            yield "the path must begin with a slash"
        node: Resource | None = self.root
        parent = ""
        for part in _parts(path):
            if not PART.fullmatch(part):
                yield CHARACTERS.format(part)
            if parent.endswith("+}"):
                yield GREEDY.format(parent)
            if node is not None:
                variables = [sibling for sibling in node.children if sibling.startswith("{") and sibling != part]
                if part.startswith("{") and variables:
                    yield SIBLING.format(variables[0])
                node = node.children.get(part)
            parent = part


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _resource(path: str) -> Resource:
    return Resource(hashlib.sha256(path.encode()).hexdigest()[:10], path)
