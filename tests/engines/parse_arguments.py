"""Gives lists of arguments to vLLM's own parser, and says what it has, run with vLLM's Python.

Standard input is a JSON array of lists. Standard output is one line of JSON: `parsed` has an object for each list, with
`values`, what the parser made of it where that differs from no arguments, or with `error`; the rest is of the version.
"""

import argparse
import contextlib
import io
import json
import sys

try:
    from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
except ImportError:  # before 0.30
    from vllm.entrypoints.openai.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
from vllm.entrypoints.openai.completion.protocol import CompletionRequest
from vllm.model_executor.layers.quantization import QUANTIZATION_METHODS
from vllm.reasoning import ReasoningParserManager
from vllm.tool_parsers import ToolParserManager
from vllm.utils.argparse_utils import FlexibleArgumentParser


def parse(parser: FlexibleArgumentParser, arguments: list[str]) -> argparse.Namespace | str:
    """What the parser makes of arguments, or its error."""
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            parsed = parser.parse_args(arguments)
            validate_parsed_serve_args(parsed)
    except SystemExit:
        return errors.getvalue().splitlines()[-1]  # after the usage, which names some hundred options
    except (TypeError, ValueError) as error:
        return str(error)
    return parsed


def main() -> None:
    """Parse what standard input has."""
    parser = make_arg_parser(FlexibleArgumentParser())
    defaults = vars(parse(parser, []))
    results = []
    for arguments in json.load(sys.stdin):
        parsed = parse(parser, arguments)
        if isinstance(parsed, str):
            results.append({"error": parsed})
        else:
            changed = {name: value for name, value in vars(parsed).items() if value != defaults[name]}
            results.append({"values": changed})
    options = [action for action in parser._actions if action.option_strings and action.dest != "help"]
    flags = [action for action in options if isinstance(action, argparse.BooleanOptionalAction)]
    found = {
        "parsed": results,
        "arguments": sorted(
            {name(option) for action in options for option in action.option_strings if is_long(option)}
        ),
        "flags": sorted({action.dest for action in flags}),
        "tool_parsers": sorted(ToolParserManager.list_registered()),
        "reasoning_parsers": sorted(ReasoningParserManager.list_registered()),
        "quantizations": sorted(QUANTIZATION_METHODS),
        "chat": sorted(ChatCompletionRequest.model_fields),
        "completions": sorted(CompletionRequest.model_fields),
    }
    sys.stdout.write(json.dumps(found, default=str) + "\n")


def is_long(option: str) -> bool:
    """Whether it is the name of an argument, neither a short one nor what switches a flag off."""
    return option.startswith("--") and not option.startswith("--no-")


def name(option: str) -> str:
    """The name of an argument with underscores."""
    return option.removeprefix("--").replace("-", "_")


main()
