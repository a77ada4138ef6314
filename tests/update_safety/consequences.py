"""What it means for those who have deployed a stack that one of its resources goes, or is created anew."""

from __future__ import annotations

CONSEQUENCES = {
    "AWS::ApiGateway::Account": "the account's setting for API Gateway logs is made once more",
    "AWS::ApiGateway::ApiKey": "the consumer gets another API key, and the old one stops working",
    "AWS::ApiGateway::BasePathMapping": "the domain is mapped a second time, which API Gateway refuses",
    "AWS::ApiGateway::BasePathMappingV2": "the domain is mapped a second time, which API Gateway refuses",
    "AWS::ApiGateway::Deployment": "another snapshot of the API is created; nobody notices",
    "AWS::ApiGateway::DomainName": "the domain name is created a second time, which API Gateway refuses",
    "AWS::ApiGateway::DomainNameAccessAssociation": "a VPC endpoint is associated twice, which API Gateway refuses",
    "AWS::ApiGateway::DomainNameV2": "the private domain name is created anew, and clients may not reach it meanwhile",
    "AWS::ApiGateway::RestApi": "the URL changes, and with the API all API keys and usage plans lose their stage",
    "AWS::ApiGateway::Stage": "the stage is created a second time, which API Gateway refuses",
    "AWS::ApiGateway::UsagePlan": "the consumer's quota of this month begins anew",
    "AWS::ApiGateway::UsagePlanKey": "the key is added to its usage plan a second time, which API Gateway refuses",
    "AWS::ApplicationAutoScaling::ScalableTarget": (
        "the second registration of the same scaling is refused, or deleted with the first one"
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": "the policy is refused, or deleted with the old one of its name",
    "AWS::CloudWatch::Alarm": "the alarm forgets its state and history; one with a name is refused",
    "AWS::CloudFormation::WaitCondition": "the deployment waits for a copy of the weights once more",
    "AWS::CloudFormation::WaitConditionHandle": "what has a URL of the old handle signals in vain",
    "AWS::CodeBuild::Project": "the project has another name; the builds of the old one are no longer shown",
    "AWS::DynamoDB::Table": "every budget of consumers begins anew",
    "AWS::EC2::SecurityGroup": "rules in other security groups that name the old one no longer apply",
    "AWS::EC2::SecurityGroupIngress": "the rule is created a second time, which EC2 refuses",
    "AWS::EC2::VPCEndpoint": "the service cannot be reached from the VPC until the new VPC endpoint is available",
    "AWS::IAM::ManagedPolicy": "the policy is created anew before the old one goes; one with a name is refused",
    "AWS::IAM::Policy": "the policy is created anew before the old one goes",
    "AWS::IAM::Role": "the role has another name: what others have granted to the old one no longer applies",
    "AWS::Lambda::EventInvokeConfig": (
        "what Lambda does with the copies of a Mirror is created a second time, which Lambda refuses"
    ),
    "AWS::Lambda::Function": "the function has another name; what others have set on the old one is lost",
    "AWS::Lambda::LayerVersion": "another version of the layer is created; nobody notices",
    "AWS::Lambda::Permission": "the permission is created anew before the old one goes",
    "AWS::Logs::LogGroup": "the log starts anew, and the old one is deleted unless it is retained",
    "AWS::Logs::QueryDefinition": "the saved query is created anew before the old one goes",
    "AWS::Route53::RecordSet": "the DNS record is created a second time, which Route 53 refuses",
    "AWS::SageMaker::Endpoint": (
        "the endpoint is created anew, which takes as long as a first deployment and needs the instances twice"
    ),
    "AWS::SageMaker::EndpointConfig": "the endpoint is updated in place, with new instances beside the old ones",
    "AWS::SageMaker::InferenceComponent": "the component is created a second time, which SageMaker refuses",
    "AWS::SageMaker::Model": "the endpoint is updated in place, with new instances beside the old ones",
    "AWS::SecretsManager::Secret": "the secret has another ARN, and the value that others read from it is another one",
    "AWS::WAFv2::WebACL": "another web ACL is created, without the rules that others have added to the old one",
    "AWS::WAFv2::WebACLAssociation": "the association is deleted with the old one: the API has no web ACL",
    "AWS::CloudWatch::CompositeAlarm": "the alarm forgets its state and history; one with a name is refused",
    "AWS::CloudWatch::Dashboard": "a dashboard with a name is created a second time, which CloudWatch refuses",
    "AWS::Events::Rule": "the rule is created anew before the old one goes; one with a name is refused",
    "AWS::SNS::Subscription": "the subscriber has to confirm once more",
    "AWS::SNS::Topic": "whoever subscribed to the old topic by hand is no longer told",
    "AWS::SNS::TopicPolicy": "the topic's policy is deleted with the old one: alarms cannot publish",
    "AWS::SQS::Queue": "the queue starts empty, and events in the old one are lost",
    "AWS::SQS::QueuePolicy": "the queue's policy is deleted with the old one: nothing can be sent to it",
    "Custom::StagedWeights": "the weights are looked for once more, and copied if they are not there",
    "Custom::TgiEndpointSmokeTest": "the smoke test runs once more",
}
