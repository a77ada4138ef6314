"""The table in which a front door's function counts what its consumers use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib._nag import acknowledge
from constructs_lib._stack_env import environment_of
from constructs_lib.acknowledgements import LIMITS_TABLE

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms

# All that the function calls; a condition and the item that an update returns need no other permission.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
_ACTIONS = ["dynamodb:UpdateItem"]

# DynamoDB decrypts the table's own key with the permission of whoever calls it.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
_KEY_ACTIONS = ["kms:Decrypt"]


class LimitsTable(Construct):
    """A table on demand, which is deleted with the stack: without it every budget begins anew.

    It has one item for each consumer, which expires when nothing in it counts any more.

    Args:
        scope: The consumers.
        id: Its id.
        encryption_key: The key that encrypts it. None: one that AWS owns.

    Attributes:
        name: The table's name.
        arn: Its ARN.
    """

    def __init__(self, scope: Construct, id: str, *, encryption_key: kms.IKey | None) -> None:
        super().__init__(scope, id)
        self._encryption_key = encryption_key
        table = dynamodb.CfnTable(
            self,
            "Table",
            attribute_definitions=[
                dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name=name, attribute_type="S")
                for name in ("consumer", "period")
            ],
            key_schema=[
                dynamodb.CfnTable.KeySchemaProperty(attribute_name="consumer", key_type="HASH"),
                dynamodb.CfnTable.KeySchemaProperty(attribute_name="period", key_type="RANGE"),
            ],
            billing_mode="PAY_PER_REQUEST",
            time_to_live_specification=dynamodb.CfnTable.TimeToLiveSpecificationProperty(
                attribute_name="expires", enabled=True
            ),
            point_in_time_recovery_specification=dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty(
                point_in_time_recovery_enabled=True
            ),
            sse_specification=None
            if encryption_key is None
            else dynamodb.CfnTable.SSESpecificationProperty(
                sse_enabled=True, sse_type="KMS", kms_master_key_id=encryption_key.key_arn
            ),
        )
        table.apply_removal_policy(RemovalPolicy.DESTROY)
        acknowledge(table, LIMITS_TABLE)
        self.name: str = table.ref
        self.arn: str = table.attr_arn

    def grant_count(self, grantee: iam.IGrantable) -> None:
        """Allow a grantee to count, and nothing else.

        Args:
            grantee: The front door's function.
        """
        iam.Grant.add_to_principal(grantee=grantee, actions=_ACTIONS, resource_arns=[self.arn])
        if self._encryption_key is not None:
            here = environment_of(self)
            grantee.grant_principal.add_to_principal_policy(
                iam.PolicyStatement(
                    actions=_KEY_ACTIONS,
                    resources=[self._encryption_key.key_arn],
                    conditions={"StringEquals": {"kms:ViaService": f"dynamodb.{here.region}.{here.url_suffix}"}},
                )
            )
