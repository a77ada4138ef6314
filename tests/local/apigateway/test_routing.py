"""Finding the resource and method of a request."""

import pytest

from local.apigateway.api import Integration, Method, Resource
from local.apigateway.routing import match

INTEGRATION = Integration(function_name="f", stream=False, timeout_seconds=29)


def tree(*paths: str) -> Resource:
    root = Resource("root", "/")
    for path in paths:
        verb, _, route = path.partition(" ")
        node = root
        for part in filter(None, route.split("/")):
            node = node.children.setdefault(part, Resource(f"{node.id}/{part}", f"{node.path.rstrip('/')}/{part}"))
        node.methods[verb] = Method(verb=verb, integration=INTEGRATION)
    return root


TREE = tree("POST /generate", "ANY /generate", "GET /v1/models", "ANY /{proxy+}", "GET /v1/{name}", "POST /")


@pytest.mark.parametrize(
    ("verb", "path", "resource", "method_verb", "parameters"),
    [
        ("POST", "/generate", "/generate", "POST", {}),
        ("POST", "/generate/", "/generate", "POST", {}),
        ("GET", "/generate", "/generate", "ANY", {}),
        ("POST", "/", "/", "POST", {}),
        ("GET", "/v1/models", "/v1/models", "GET", {}),
        ("GET", "/v1/other", "/v1/{name}", "GET", {"name": "other"}),
        ("GET", "/v1/a%2Fb", "/v1/{name}", "GET", {"name": "a%2Fb"}),
        ("GET", "/v1/a/b", "/{proxy+}", "ANY", {"proxy": "v1/a/b"}),
        ("GET", "/v1", "/{proxy+}", "ANY", {"proxy": "v1"}),
        ("GET", "/nowhere", "/{proxy+}", "ANY", {"proxy": "nowhere"}),
        ("GET", "/nowhere//%2B/", "/{proxy+}", "ANY", {"proxy": "nowhere//%2B"}),
        ("GET", "//v1//", "/{proxy+}", "ANY", {"proxy": "v1"}),
    ],
)
def test_the_most_specific_resource_and_method_match(
    verb: str, path: str, resource: str, method_verb: str, parameters: dict[str, str]
) -> None:
    route = match(TREE, path, verb)
    assert route is not None
    assert route.method is not None
    assert (route.resource.path, route.method.verb, route.parameters) == (resource, method_verb, parameters)


def test_a_resource_without_the_verb_wins_over_a_greedy_resource_with_it() -> None:
    route = match(TREE, "/v1/models", "DELETE")
    assert route is not None
    assert route.method is None


@pytest.mark.parametrize("verb", ["TRACE", "CONNECT", "PROPFIND", "get"])
def test_any_matches_only_the_seven_verbs_of_api_gateway(verb: str) -> None:
    route = match(TREE, "/nowhere", verb)
    assert route is not None
    assert route.method is None


def test_the_greedy_resource_does_not_match_the_root() -> None:
    route = match(tree("ANY /{proxy+}"), "/", "GET")
    assert route is not None
    assert route.method is None


def test_an_unknown_path_matches_nothing() -> None:
    assert match(tree("GET /a"), "/b", "GET") is None
