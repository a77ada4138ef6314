"""DynamoDB's tables of a stack."""

import sys
import threading
from collections.abc import Iterator

import pytest

from local.deployment.control_plane import ControlPlane
from tests.local.deployment.deployments import create

pytestmark = pytest.mark.xdist_group("control_plane")


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as running:
        yield running


def test_a_conditional_update_of_a_table_is_decided_one_at_a_time(plane: ControlPlane) -> None:
    interval = sys.getswitchinterval()
    table = {
        "AttributeDefinitions": [{"AttributeName": "consumer", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "consumer", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "TableName": "limits",
    }
    create(plane, {"Resources": {"Limits": {"Type": "AWS::DynamoDB::Table", "Properties": table}}})
    client, refused = plane.client("dynamodb"), []

    def take() -> None:
        for _ in range(20):
            try:
                client.update_item(
                    TableName="limits",
                    Key={"consumer": {"S": "team-a"}},
                    UpdateExpression="ADD used :one",
                    ConditionExpression="attribute_not_exists(used) OR used < :limit",
                    ExpressionAttributeValues={":one": {"N": "1"}, ":limit": {"N": "100"}},
                )
            except client.exceptions.ConditionalCheckFailedException:
                refused.append(1)

    threads = [threading.Thread(target=take) for _ in range(8)]
    sys.setswitchinterval(1e-6)  # so that threads meet within one update
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert client.get_item(TableName="limits", Key={"consumer": {"S": "team-a"}})["Item"]["used"] == {"N": "100"}
    assert len(refused) == 60
