"""The front door of a stack: where its function and its API log, and what the API is called in metrics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from constructs_lib.cli.doctor.reader import Reader
from constructs_lib.cli.doctor.stack import StackRead

_DOOR_FUNCTION = "FrontDoorFunction"


@dataclass(frozen=True, kw_only=True)
class FrontDoorRead:
    """A front door; everything is empty for a stack without one.

    Args:
        functions: Names of its functions, by their log groups.
        apis: Names of its APIs.
        access_logs: Log groups of its APIs.
    """

    functions: dict[str, str]
    apis: tuple[str, ...]
    access_logs: tuple[str, ...]


def read_front_door(reader: Reader, stack: StackRead) -> FrontDoorRead:
    """The front door of a stack.

    Args:
        reader: Calls AWS.
        stack: The stack.
    """
    functions = {}
    apis = [one.name for one in stack.of_type("AWS::ApiGateway::RestApi")]
    for function in stack.of_type("AWS::Lambda::Function") if apis else ():
        if _DOOR_FUNCTION not in function.logical:
            continue
        found = reader.find(
            "the front door's function", "lambda", "get_function_configuration", FunctionName=function.name
        )
        group = (found.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{function.name}"
        functions[group] = function.name
    names: list[str] = []
    logs: list[str] = []
    for api in apis:
        named = reader.find("the API", "apigateway", "get_rest_api", restApiId=api).get("name")
        names += [named] if named else []
        logs += _access_logs(reader, api)
    return FrontDoorRead(functions=functions, apis=tuple(names), access_logs=tuple(logs))


def _access_logs(reader: Reader, api: str) -> Iterator[str]:
    for stage in reader.find("the API's stages", "apigateway", "get_stages", restApiId=api).get("item", ()):
        arn = (stage.get("accessLogSettings") or {}).get("destinationArn", "")
        if ":log-group:" in arn:
            yield arn.partition(":log-group:")[2].removesuffix(":*")
