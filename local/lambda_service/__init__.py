"""Lambda: functions from their deployed code, each sandbox a process of its own with a Runtime API of its own."""

from local.lambda_service.answer import StreamedAnswer
from local.lambda_service.errors import BadPrelude, FunctionError, FunctionTimeout
from local.lambda_service.function import Function, FunctionConfig

__all__ = ["BadPrelude", "Function", "FunctionConfig", "FunctionError", "FunctionTimeout", "StreamedAnswer"]
