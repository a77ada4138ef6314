"""An endpoint with inference components that scale to zero, as a template of plain resources."""

from typing import Any

ROLE = "arn:aws:iam::123456789012:role/endpoint"
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-tgi-inference:2.7.0-tgi3.3.6"
ENDPOINT = {"Fn::GetAtt": ["Endpoint", "EndpointName"]}
ALARM: dict[str, Any] = {
    "Namespace": "AWS/SageMaker",
    "MetricName": "NoCapacityInvocationFailures",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "notBreaching",
}
WAKE = {
    "AdjustmentType": "ChangeInCapacity",
    "MetricAggregationType": "Maximum",
    "Cooldown": 60,
    "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
}


def model(**environment: str) -> dict[str, Any]:
    container = {"Image": IMAGE, "Environment": {"HF_MODEL_ID": "m/m", **environment}}
    return {
        "Type": "AWS::SageMaker::Model",
        "Properties": {"ExecutionRoleArn": ROLE, "PrimaryContainer": container},
    }


def component(model: str = "Model", copies: int = 1, memory: int = 1024, accelerators: int = 1) -> dict[str, Any]:
    return {
        "Type": "AWS::SageMaker::InferenceComponent",
        "Properties": {
            "EndpointName": ENDPOINT,
            "VariantName": "AllTraffic",
            "RuntimeConfig": {"CopyCount": copies},
            "Specification": {
                "ModelName": {"Fn::GetAtt": [model, "ModelName"]},
                "ComputeResourceRequirements": {
                    "MinMemoryRequiredInMb": memory,
                    "NumberOfAcceleratorDevicesRequired": accelerators,
                },
            },
        },
    }


def adapter(base: str = "Component") -> dict[str, Any]:
    """An adapter of a component."""
    return {
        "Type": "AWS::SageMaker::InferenceComponent",
        "Properties": {
            "EndpointName": ENDPOINT,
            "Specification": {
                "BaseInferenceComponentName": name_of(base),
                "Container": {"ArtifactUrl": "s3://bucket/adapter.tar.gz"},
            },
        },
    }


def name_of(component: str) -> dict[str, Any]:
    """The name of a component, from its ARN."""
    return {"Fn::Select": [1, {"Fn::Split": ["/", {"Fn::GetAtt": [component, "InferenceComponentArn"]}]}]}


def target(component: str, minimum: int = 0, maximum: int = 2) -> dict[str, Any]:
    return {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "Properties": {
            "ServiceNamespace": "sagemaker",
            "ResourceId": {"Fn::Join": ["/", ["inference-component", name_of(component)]]},
            "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
            "MinCapacity": minimum,
            "MaxCapacity": maximum,
        },
    }


def step_policy(target: str, name: str, **changes: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
        "Properties": {
            "PolicyName": name,
            "PolicyType": "StepScaling",
            "ScalingTargetId": {"Ref": target},
            "StepScalingPolicyConfiguration": {**WAKE, **changes},
        },
    }


def tracking_policy(target: str, name: str, **changes: Any) -> dict[str, Any]:
    metric = "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"
    return {
        "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
        "Properties": {
            "PolicyName": name,
            "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": {"Ref": target},
            "TargetTrackingScalingPolicyConfiguration": {
                "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
                "TargetValue": 2,
                "DisableScaleIn": True,
                **changes,
            },
        },
    }


def alarm(policy: str, component: str, **changes: Any) -> dict[str, Any]:
    dimensions = [{"Name": "InferenceComponentName", "Value": name_of(component)}]
    properties = {**ALARM, "Dimensions": dimensions, "AlarmActions": [{"Ref": policy}], **changes}
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def scaled_template(*, instance_type: str = "ml.g5.xlarge", instances: int = 2) -> dict[str, Any]:
    """One model that scales from zero copies to two."""
    variant = {
        "VariantName": "AllTraffic",
        "InstanceType": instance_type,
        "InitialInstanceCount": 1,
        "ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": instances},
    }
    return {
        "Resources": {
            "Model": model(),
            "Config": {
                "Type": "AWS::SageMaker::EndpointConfig",
                "Properties": {"ExecutionRoleArn": ROLE, "ProductionVariants": [variant]},
            },
            "Endpoint": {
                "Type": "AWS::SageMaker::Endpoint",
                "Properties": {"EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
            },
            "Component": component(),
            "Target": target("Component"),
            "Wake": step_policy("Target", "Wake"),
            "NoCapacity": alarm("Wake", "Component"),
        },
        "Outputs": {"Component": {"Value": name_of("Component")}},
    }
