"""Lambda: functions from their deployed code, each sandbox a process of its own with a Runtime API of its own."""

from local.lambda_service.answer import StreamedAnswer
from local.lambda_service.errors import BadPrelude, FunctionError, FunctionThrottled, FunctionTimeout
from local.lambda_service.function import Concurrency, Function, FunctionConfig

__all__ = [
    "BadPrelude",
    "Concurrency",
    "Function",
    "FunctionConfig",
    "FunctionError",
    "FunctionThrottled",
    "FunctionTimeout",
    "StreamedAnswer",
]
