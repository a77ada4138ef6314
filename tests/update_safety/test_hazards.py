"""Each hazard is found where it is, and nowhere else."""

from __future__ import annotations

from typing import Any

from tests.update_safety import hazards

Json = dict[str, Any]

INVOKE = "sagemaker:InvokeEndpoint"


def template(**resources: Json) -> Json:
    return {"Resources": resources}


def resource(kind: str, *needs: str, **properties: Any) -> Json:
    return {"Type": f"AWS::{kind}", "Properties": properties, **({"DependsOn": list(needs)} if needs else {})}


def group(name: str, **properties: Any) -> Json:
    return resource("Logs::LogGroup", LogGroupName=name, **properties)


def test_a_new_resource_with_the_name_of_an_old_one_collides() -> None:
    before, after = template(Old=group("logs")), template(New=group("logs"))
    assert hazards.colliding_names(before, after) == ['New is created while Old has its name: {"LogGroupName": "logs"}']
    assert hazards.colliding_names(before, template(New=group("other"))) == []


def test_a_replaced_resource_that_keeps_its_name_collides_with_itself() -> None:
    def role(path: str) -> Json:
        return template(Role=resource("IAM::Role", RoleName="role", Path=path))

    assert hazards.colliding_names(role("/one/"), role("/two/")) == [
        'Role is created while Role has its name: {"RoleName": "role"}'
    ]


def test_two_resources_that_change_names_collide() -> None:
    before = template(One=group("a"), Two=group("b"))
    assert len(hazards.colliding_names(before, template(One=group("b"), Two=group("a")))) == 2


def test_a_name_below_a_replaced_resource_is_another_one() -> None:
    def policy(endpoint: str) -> Json:
        return template(
            Endpoint=resource("SageMaker::Endpoint", EndpointName=endpoint),
            Target=resource("ApplicationAutoScaling::ScalableTarget", ResourceId={"Ref": "Endpoint"}),
            Policy=resource(
                "ApplicationAutoScaling::ScalingPolicy", PolicyName="Load", ScalingTargetId={"Ref": "Target"}
            ),
        )

    assert hazards.colliding_names(policy("one"), policy("two")) == []


def test_a_web_acl_that_takes_the_place_of_another_goes_when_that_is_deleted() -> None:
    def stage(acl: str, **attributes: str) -> Json:
        association = resource("WAFv2::WebACLAssociation", ResourceArn="stage", WebACLArn=acl)
        return template(Association={**association, **attributes})

    assert hazards.undone_by_cleanup(stage("one"), stage("two")) == [
        'Association takes the place of Association, and is gone when Association is deleted: {"ResourceArn": "stage"}'
    ]
    retained = {"UpdateReplacePolicy": "Retain"}
    assert hazards.undone_by_cleanup(stage("one"), stage("two", **retained)) == []
    assert hazards.colliding_names(stage("one"), stage("two")) == []


def test_an_inline_policy_under_another_id_goes_with_the_old_one() -> None:
    def policy(id: str) -> Json:
        return template(**{id: resource("IAM::Policy", PolicyName="Invoke", Roles=["role"])})

    assert len(hazards.undone_by_cleanup(policy("Old"), policy("New"))) == 1


def test_a_reference_to_what_is_gone_is_found() -> None:
    before = template(Logs=group("logs"), Uses=resource("SNS::Topic", TopicName={"Ref": "Logs"}))
    after = template(Uses=resource("SNS::Topic", "Logs"))
    assert hazards.missing_references(before, after) == ["Uses refers to Logs, which is deleted"]


def test_the_name_of_what_goes_is_found_where_nothing_refers_to_it() -> None:
    def component(name: str, target: str) -> Json:
        return template(
            Topic=resource("SNS::Topic", TopicName=name),
            Uses=resource("Logs::QueryDefinition", Name="query", LogGroupNames=[target]),
        )

    before, after = component("old-topic", "old-topic"), component("new-topic", "old-topic")
    assert hazards.names_of_what_goes(before, after) == ["Uses mentions old-topic, which goes"]
    assert hazards.names_of_what_goes(before, component("new-topic", "new-topic")) == []


def function(**properties: Any) -> Json:
    return template(Function=resource("Lambda::Function", **properties))


def test_a_function_that_becomes_another_one_in_place_is_found() -> None:
    assert hazards.changed_handlers(function(Handler="keys.handler"), function(Handler="tokens.handler")) == [
        "Function becomes another function (keys.handler → tokens.handler) before what calls it changes"
    ]
    assert hazards.changed_handlers(function(Handler="a"), function(Handler="a", Timeout=1)) == []


def test_a_function_that_does_not_wait_for_its_policy_is_found() -> None:
    def stack(*needs: str) -> Json:
        return template(
            Role=resource("IAM::Role"),
            Policy=resource("IAM::Policy", PolicyName="p", Roles=[{"Ref": "Role"}]),
            Function=resource("Lambda::Function", *needs, Role={"Fn::GetAtt": ["Role", "Arn"]}),
        )

    assert hazards.policies_after_their_users({}, stack()) == ["Function does not wait for Policy"]
    assert hazards.policies_after_their_users({}, stack("Policy")) == []


def test_a_policy_of_an_endpoint_that_nothing_waits_for_is_found() -> None:
    def stack(*needs: str) -> Json:
        return template(
            Role=resource("IAM::Role"),
            Policy=resource("IAM::Policy", PolicyName="p", Roles=[{"Ref": "Role"}]),
            Model=resource("SageMaker::Model", *needs, ExecutionRoleArn={"Fn::GetAtt": ["Role", "Arn"]}),
        )

    assert hazards.policies_after_their_users({}, stack()) == ["nothing waits for Policy"]
    assert hazards.policies_after_their_users({}, stack("Policy")) == []


def test_a_stage_that_does_not_wait_for_the_permission_of_its_api_is_found() -> None:
    def stack(*needs: str) -> Json:
        permission = {"Principal": "apigateway.amazonaws.com", "SourceArn": {"Fn::Sub": "arn:${Api}/*"}}
        return template(
            Api=resource("ApiGateway::RestApi"),
            Permission=resource("Lambda::Permission", **permission),
            Stage=resource("ApiGateway::Stage", *needs, RestApiId={"Ref": "Api"}),
        )

    assert hazards.permissions_after_the_stage({}, stack()) == ["Stage does not wait for Permission"]
    assert hazards.permissions_after_the_stage({}, stack("Permission")) == []


def test_an_endpoint_that_names_its_config_without_a_reference_is_found() -> None:
    def stack(name: Any) -> Json:
        return template(
            Config=resource("SageMaker::EndpointConfig"),
            Endpoint=resource("SageMaker::Endpoint", EndpointConfigName=name),
        )

    assert hazards.endpoints_without_their_config({}, stack("config")) == [
        "Endpoint does not refer to its EndpointConfig"
    ]
    assert hazards.endpoints_without_their_config({}, stack({"Ref": "Config"})) == []


def test_a_component_that_would_move_to_another_endpoint_is_found() -> None:
    def stack(name: str, variant: str = "one") -> Json:
        return template(
            Endpoint=resource("SageMaker::Endpoint", EndpointName=name),
            Component=resource("SageMaker::InferenceComponent", EndpointName={"Ref": "Endpoint"}, VariantName=variant),
        )

    moved = ["Component cannot leave its endpoint and variant"]
    assert hazards.components_that_move(stack("one"), stack("two")) == moved
    assert hazards.components_that_move(stack("one"), stack("one", "two")) == moved
    assert hazards.components_that_move(stack("one"), stack("one")) == []


def test_another_type_is_refused() -> None:
    before, after = template(One=group("one")), template(One=resource("SNS::Topic"))
    assert hazards.refused_changes(before, after) == [
        "One cannot become an AWS::SNS::Topic: the resource is an AWS::Logs::LogGroup"
    ]


def test_a_function_that_may_not_invoke_an_endpoint_before_it_stops_doing_so_is_found() -> None:
    def stack(*endpoints: str, name: str = "one") -> Json:
        statement = {"Action": [INVOKE], "Effect": "Allow", "Resource": [{"Ref": each} for each in endpoints]}
        return template(
            A=resource("SageMaker::Endpoint", EndpointName=name),
            B=resource("SageMaker::Endpoint"),
            Policy=resource("IAM::Policy", PolicyName="p", PolicyDocument={"Statement": [statement]}),
        )

    lost = ['Policy no longer allows to invoke {"Ref": "A"}']
    assert hazards.denied_invocations(stack("A"), stack("B")) == lost
    assert hazards.denied_invocations(stack("A"), stack("A", name="two")) == lost
    assert hazards.denied_invocations(stack("A"), stack("A", "B")) == []


def test_a_place_in_s3_that_a_policy_loses_while_it_is_used_is_found() -> None:
    def policy(place: str, id: str = "Policy") -> Json:
        statement = {"Action": "s3:GetObject", "Effect": "Allow", "Resource": place}
        document = {"Statement": [statement]}
        return template(**{id: resource("IAM::Policy", PolicyName=id, PolicyDocument=document, Roles=["role"])})

    assert hazards.lost_places(policy("one"), policy("two")) == ['Policy no longer allows "one"']
    assert hazards.lost_places(policy("one"), policy("two", "Other")) == [], "the old one is deleted last"


def test_a_function_that_begins_to_stream_before_its_api_does_is_found() -> None:
    streaming = function(Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "bootstrap"}})
    found = ["Function streams before or after its API does"]
    assert hazards.interruptions(streaming, function()) == found
    assert hazards.interruptions(function(), streaming) == found


def test_an_api_that_takes_keys_from_elsewhere_is_found() -> None:
    def api(source: str) -> Json:
        return template(Api=resource("ApiGateway::RestApi", ApiKeySourceType=source))

    assert hazards.interruptions(api("HEADER"), api("AUTHORIZER")) == [
        "Api looks for API keys elsewhere before its stage has the new definition"
    ]


def test_a_policy_that_leaves_its_role_is_found() -> None:
    def policy(role: str) -> Json:
        return template(Policy=resource("IAM::Policy", PolicyName="p", Roles=[role]))

    assert hazards.moved_policies(policy("one"), policy("two")) == [
        "Policy leaves its role before what runs with it stops"
    ]


def test_a_deleted_or_replaced_api_stage_or_key_is_one_that_callers_notice() -> None:
    before = template(
        Api=resource("ApiGateway::RestApi"),
        Key=resource("ApiGateway::ApiKey", Value="one"),
        Stage=resource("ApiGateway::Stage", RestApiId={"Ref": "Api"}, StageName="one"),
    )
    renamed = resource("ApiGateway::Stage", RestApiId={"Ref": "Api"}, StageName="two")
    assert hazards.effect_on_callers(before, {"Resources": {**before["Resources"], "Stage": renamed}}) == {"new URL"}
    other_key = resource("ApiGateway::ApiKey", Value="two")
    assert hazards.effect_on_callers(before, {"Resources": {**before["Resources"], "Key": other_key}}) == {"new key"}
    assert hazards.effect_on_callers(before, template()) == {"new URL", "new key"}
    assert hazards.effect_on_callers(before, before) == set()


def test_the_effect_on_an_endpoint_is_one_of_three() -> None:
    def endpoint(**properties: Any) -> Json:
        return template(Endpoint=resource("SageMaker::Endpoint", **properties))

    assert hazards.effect_on_endpoint(endpoint(), endpoint()) == "unchanged"
    assert hazards.effect_on_endpoint(endpoint(), endpoint(EndpointConfigName="two")) == "updated in place"
    assert hazards.effect_on_endpoint(endpoint(), endpoint(EndpointName="two")) == "new endpoint"
    assert hazards.effect_on_endpoint(endpoint(), template(Other=resource("SageMaker::Endpoint"))) == "new endpoint"
