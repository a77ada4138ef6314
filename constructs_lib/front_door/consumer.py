"""A consumer of a front door: its API keys, and the usage plan that limits each of them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib._stack_env import environment_of
from constructs_lib.errors import ConfigurationError
from constructs_lib.front_door.consumer_rules import ORIGINAL_KEY
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_secretsmanager as secretsmanager

# API Gateway takes 20 to 128 letters and digits.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
_KEY_LENGTH = 48

_READ_ACTIONS = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]


class Consumer(Construct):
    """A caller of a front door with API keys of its own. Created by `FrontDoor.add_consumer`.

    The value of a key is in no template, output or log. That of the key `original` is read with
    `aws apigateway get-api-key --include-value --api-key <consumer.key_id>`, those of others from `secrets`. The
    function's log and the saved queries show the key's id as `consumer`.

    Attributes:
        key_id: Id of the key, of the first one if there are two.
        key_ids: The ids of its keys by their names.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        rest_api_id: str,
        stage_name: str,
        rate: float,
        burst: float,
        monthly_requests: float | None,
        keys: Sequence[str],
        encryption_key: kms.IKey | None,
        description: str,
    ) -> None:
        super().__init__(scope, id)
        self._description = description
        self._encryption_key = encryption_key
        self._secret_arns: dict[str, str] = {}
        created = {name: self._add_key(name) for name in keys}
        plan = apigateway.CfnUsagePlan(
            self,
            "Plan",
            description=description,
            api_stages=[apigateway.CfnUsagePlan.ApiStageProperty(api_id=rest_api_id, stage=stage_name)],
            throttle=apigateway.CfnUsagePlan.ThrottleSettingsProperty(rate_limit=rate, burst_limit=burst),
            quota=None
            if monthly_requests is None
            else apigateway.CfnUsagePlan.QuotaSettingsProperty(limit=monthly_requests, period="MONTH"),
        )
        self._plan = plan
        self.key_ids: Mapping[str, str] = {name: key.ref for name, key in created.items()}
        self.key_id: str = next(iter(self.key_ids.values()))
        for name, key_id in self.key_ids.items():
            apigateway.CfnUsagePlanKey(
                self, _child_id("PlanKey", name), key_id=key_id, key_type="API_KEY", usage_plan_id=plan
            )

    @cached_property
    def api_key(self) -> apigateway.IApiKey:
        """The key, the first one if there are two."""
        return apigateway.ApiKey.from_api_key_id(self, "ApiKey", self.key_id)

    @cached_property
    def usage_plan(self) -> apigateway.IUsagePlan:
        """The usage plan with the rate, the burst and the monthly quota of each key."""
        return apigateway.UsagePlan.from_usage_plan_id(self, "UsagePlan", self._plan.ref)

    @cached_property
    def secrets(self) -> Mapping[str, secretsmanager.ISecret]:
        """The secrets with the values of its keys by their names, without the key `original`."""
        # Imported here, as few consumers have one.
        from aws_cdk import aws_secretsmanager as secretsmanager

        return {
            name: secretsmanager.Secret.from_secret_attributes(
                self, f"SecretRef-{name}", secret_complete_arn=arn, encryption_key=self._encryption_key
            )
            for name, arn in self._secret_arns.items()
        }

    def grant_read_keys(self, grantee: iam.IGrantable) -> None:
        """Allow a grantee to read the values of all keys that Secrets Manager has.

        Args:
            grantee: The principal, such as the role of the consumer's service. One of another account also needs
                policies of secret and key that allow it.

        Raises:
            ConfigurationError: The consumer has only the key `original`, whose value API Gateway alone has.
        """
        if not self._secret_arns:
            message = "cannot be allowed to read a key: API Gateway alone has the value of the key 'original'"
            fix = 'Give the consumer keys with names: add_consumer(…, keys=("2026-11",)).'
            raise ConfigurationError(self.node.path, [Problem("grantee", grantee, message, fix)])
        # Not by the secrets' own grants, which would let the key's policy, and so the key, depend on the grantee.
        iam.Grant.add_to_principal(
            grantee=grantee, actions=_READ_ACTIONS, resource_arns=list(self._secret_arns.values())
        )
        if self._encryption_key is not None:
            here = environment_of(self)
            grantee.grant_principal.add_to_principal_policy(
                iam.PolicyStatement(
                    actions=["kms:Decrypt"],
                    resources=[self._encryption_key.key_arn],
                    conditions={"StringEquals": {"kms:ViaService": f"secretsmanager.{here.region}.{here.url_suffix}"}},
                )
            )

    def _add_key(self, name: str) -> apigateway.CfnApiKey:
        if name == ORIGINAL_KEY:
            # Without a value: API Gateway generates it. Without a name: no change replaces it.
            return apigateway.CfnApiKey(self, "Key", enabled=True, description=self._description)
        arn = self._add_secret(name)
        self._secret_arns[name] = arn
        return apigateway.CfnApiKey(
            self,
            _child_id("Key", name),
            enabled=True,
            description=f"{self._description}, key {name}",
            value=f"{{{{resolve:secretsmanager:{arn}:SecretString:::}}}}",
        )

    def _add_secret(self, name: str) -> str:
        """Creates the secret of a key; returns its ARN."""
        from aws_cdk import aws_secretsmanager as secretsmanager

        from constructs_lib._nag import acknowledge
        from constructs_lib.acknowledgements import CONSUMER_SECRET

        secret = secretsmanager.CfnSecret(
            self,
            _child_id("Secret", name),
            description=f"The API key with which {self._description}, key {name}",
            generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(
                exclude_punctuation=True, password_length=_KEY_LENGTH
            ),
            kms_key_id=None if self._encryption_key is None else self._encryption_key.key_arn,
        )
        acknowledge(secret, CONSUMER_SECRET)
        return secret.ref


def _child_id(kind: str, name: str) -> str:
    """The id of a resource of a key; of the key `original` it is what it was before keys had names."""
    return kind if name == ORIGINAL_KEY else f"{kind}-{name}"
