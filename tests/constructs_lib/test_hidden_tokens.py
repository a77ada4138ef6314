"""Tokens become Unknown before planning sees them."""

from aws_cdk import Aws, Stack, Token

from constructs_lib._tokens import hide_token, hide_tokens, hide_tokens_of_request
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.serving_limits import ServingFacts
from constructs_lib.planning.validation.unknown import Unknown


def test_a_token_becomes_the_text_that_a_template_has_for_it(stack: Stack) -> None:
    number = hide_token(Token.as_number({"Ref": "Size"}))
    assert hide_token(f"me/{Aws.REGION}") == Unknown(f"me/{Aws.REGION}")
    assert isinstance(number, Unknown)
    assert stack.resolve(number.text) == {"Ref": "Size"}


def test_other_values_stay() -> None:
    facts = ServingFacts(max_total_tokens=4096)
    assert (hide_token("text"), hide_token(7), hide_token(None)) == ("text", 7, None)
    assert hide_tokens(facts) is facts


def test_every_part_of_a_request_is_looked_through() -> None:
    request = EndpointRequest(
        engine=TGI,
        model=ModelChoice(source="hub", hub_id=Aws.REGION, revision="main"),
        instance=InstanceType.G5_2XLARGE,
        options=TgiOptions(max_total_tokens=Token.as_number({"Ref": "Size"}), max_best_of=3),
        environment={"MINE": Aws.REGION, "YOURS": "x"},
        endpoint_name=Aws.STACK_NAME,
    )
    found = hide_tokens_of_request(request)
    region = Unknown(Aws.REGION)
    assert (found.model.hub_id, found.model.revision) == (region, "main")
    assert isinstance(found.options.max_total_tokens, Unknown)
    assert found.options.max_best_of == 3
    assert found.environment == {"MINE": region, "YOURS": "x"}
    assert (found.endpoint_name, found.instance) == (Unknown(Aws.STACK_NAME), request.instance)
