"""The table of counters: DynamoDB's UpdateItem, sent with the function's own client."""

import random
import re
import time
from typing import Any

from front_door.errors import ApiError
from front_door.http.json import compact, parse_object
from front_door.limits.ledger import CURRENT, Item, Update
from front_door.sagemaker.client import Place, SageMaker

ATTEMPT_SECONDS = 0.6
"""How long one call may take, the connection included; DynamoDB answers within some milliseconds."""

FIRST_PAUSE_SECONDS = 0.02
_TARGET = "DynamoDB_20120810.UpdateItem"
_CONDITION = "ConditionalCheckFailedException"
_CODE = re.compile(r"[A-Za-z]{1,64}")
# Those with status 400 after which the same call may succeed; so it may after any 5xx.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
_RETRYABLE = (
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
)


class StoreError(Exception):
    """The table could not be asked.

    Args:
        cause: DynamoDB's error code, or what broke; never a value.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Store:
    """The items of consumers.

    Args:
        client: Signs and sends.
        place: DynamoDB.
        table: The table.
    """

    def __init__(self, client: SageMaker, place: Place, table: str) -> None:
        self._client, self._place, self._table = client, place, table

    def update(self, consumer: str, update: Update, deadline: float) -> Item:
        """Change a consumer's item, if the condition holds; repeated after errors that pass, which it must bear.

        Args:
            consumer: The consumer.
            update: What is changed.
            deadline: When to give up, in seconds since the epoch.

        Returns:
            The item after it, or the one for which the condition did not hold.

        Raises:
            StoreError: It is not known whether it was changed.
        """
        body = compact(
            {
                "TableName": self._table,
                "Key": {"consumer": {"S": consumer}, "period": {"S": CURRENT}},
                "UpdateExpression": update.update,
                "ConditionExpression": update.condition,
                **({"ExpressionAttributeValues": update.values} if update.values else {}),
                "ReturnValues": "ALL_NEW",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        )
        pause = FIRST_PAUSE_SECONDS
        while True:
            result = self._send(body, deadline)
            if isinstance(result, dict):
                return result
            cause, may_repeat = result
            wait = random.uniform(pause / 2, pause)  # noqa: S311
            if not may_repeat or time.time() + wait >= deadline:
                raise StoreError(cause)
            time.sleep(wait)
            pause *= 2

    def _send(self, body: bytes, deadline: float) -> dict[str, Any] | tuple[str, bool]:
        """The item that one call returns, or why there is none and whether another call may have one."""
        try:
            status, content = self._client.call(
                self._place, _TARGET, body, min(deadline, time.time() + ATTEMPT_SECONDS)
            )
        except ApiError as error:
            return error.log_detail or error.kind, error.kind != "permission"
        answer = parse_object(content) or {}
        if status == 200:
            return answer.get("Attributes") or {}
        code = str(answer.get("__type", "")).rpartition("#")[2]
        if code == _CONDITION:
            return answer.get("Item") or {}
        return (code if _CODE.fullmatch(code) else f"HTTP {status}"), status >= 500 or code in _RETRYABLE
