"""The table of counters: DynamoDB's UpdateItem, sent with the function's own client."""

import random
import re
import time

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
        may_repeat: Whether the same call may succeed.
        is_refused: Whether DynamoDB has changed nothing; otherwise that is not known.
    """

    def __init__(self, cause: str, *, may_repeat: bool = False, is_refused: bool = False) -> None:
        super().__init__(cause)
        self.cause, self.may_repeat, self.is_refused = cause, may_repeat, is_refused


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
            StoreError: There is no answer to it.
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
        pause, is_refused = FIRST_PAUSE_SECONDS, True
        while True:
            try:
                return self._send(body, deadline)
            except StoreError as error:
                is_refused = error.is_refused = is_refused and error.is_refused
                wait = random.uniform(pause / 2, pause)  # noqa: S311
                if not error.may_repeat or time.time() + wait >= deadline:
                    raise
            time.sleep(wait)
            pause *= 2

    def _send(self, body: bytes, deadline: float) -> Item:
        """The item that one call returns; raises StoreError if it returns none."""
        try:
            status, content = self._client.call(
                self._place, _TARGET, body, min(deadline, time.time() + ATTEMPT_SECONDS)
            )
        except ApiError as error:
            raise StoreError(error.log_detail or error.kind, may_repeat=error.kind != "permission") from error
        answer = parse_object(content) or {}
        if status == 200 and (item := answer.get("Attributes")):
            return dict(item)
        code = str(answer.get("__type", "")).rpartition("#")[2]
        if code == _CONDITION:
            return answer.get("Item") or {}
        cause = code if _CODE.fullmatch(code) else f"HTTP {status}"
        is_refused = 400 <= status < 500
        raise StoreError(cause, may_repeat=not is_refused or code in _RETRYABLE, is_refused=is_refused)
