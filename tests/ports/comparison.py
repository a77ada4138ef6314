"""Compares what an app gives with what its deployment had."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.constructs_lib.rendered import COMPONENT, CONFIG, ENDPOINT, MODEL, Json, resources, template_of, text

if TYPE_CHECKING:
    from aws_cdk import App, Stack

    from tests.ports.ports import Port

TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
ALARM = "AWS::CloudWatch::Alarm"

# Names of one setting: TGI's launcher and SageMaker's entry point read the left one and the right one alike.
_SAME = {
    "MAX_INPUT_LENGTH": "MAX_INPUT_TOKENS",
    "QUANTIZE": "HF_MODEL_QUANTIZE",
    "HF_MODEL_TRUST_REMOTE_CODE": "TRUST_REMOTE_CODE",
    "NUM_SHARD": "SM_NUM_GPUS",
    "REVISION": "HF_MODEL_REVISION",
}
# What the library adds: cache folders, limits of SageMaker's that TGI does not know, no reports to others.
_ADDITIONS = {
    "DISABLE_CRASH_REPORTS",
    "DISABLE_USAGE_STATS",
    "HF_HOME",
    "HF_HUB_OFFLINE",
    "HUGGINGFACE_HUB_CACHE",
    "MODEL_ID",
    "PAYLOAD_LIMIT",
    "USAGE_STATS",
}
# On Neuron, what makes TGI refuse that which its server would ignore.
_REFUSALS = {"DISABLE_GRAMMAR_SUPPORT", "MAX_BEST_OF", "MAX_TOP_N_TOKENS"}
# TGI's own default from 0.9.0 to 1.4.5 (launcher/src/main.rs), so that it changes nothing to name it.
_OLD_DEFAULTS = {"MAX_BATCH_PREFILL_TOKENS": "4096"}
_TOKEN = {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}


def deviations(port: Port, app: App) -> list[str]:
    """How what the app gives differs from what is expected."""
    expect = port.expect
    try:
        stack = port.build(app)
    except ValueError as error:
        found = _error_deviations(str(error), expect)
        if "repaired" in expect:
            found += _template_deviations(template_of(port.repair(app)), expect["repaired"])
        return found
    template, warnings = template_of(stack), _warnings(stack)
    wanted = [*expect.get("warnings", ()), *([expect["error_or_warning"]] if "error_or_warning" in expect else [])]
    found = [f"no warning matches {one!r}: {warnings}" for one in wanted if not _matches(one, warnings)]
    if "error" in expect:
        return [f"no error, where {expect['error']!r} is expected"]
    if "only_warning" in expect:
        found += [f"an unexpected warning: {one}" for one in warnings if not re.search(expect["only_warning"], one)]
    return found if "error_or_warning" in expect else found + _template_deviations(template, expect)


def _error_deviations(error: str, expect: Json) -> list[str]:
    wanted = expect.get("error", expect.get("error_or_warning"))
    if wanted is None:
        return [f"an unexpected error: {error}"]
    found = [] if re.search(wanted, error) else [f"the error does not match {wanted!r}: {error}"]
    if "error_lacks" in expect and re.search(expect["error_lacks"], error):
        found.append(f"the error has {expect['error_lacks']!r}: {error}")
    return found


def _warnings(stack: Stack) -> list[str]:
    """All but that SageMaker's detailed metrics are off: no deployment says whether it wants them."""
    entries = [entry for node in stack.node.find_all() for entry in node.node.metadata]
    warnings = [str(entry.data) for entry in entries if entry.type == "aws:cdk:warning"]
    return [warning for warning in warnings if "detailedObservabilityOff" not in warning]


def _matches(pattern: str, texts: list[str]) -> bool:
    return any(re.search(pattern, one) for one in texts)


def _template_deviations(template: Json, expect: Json) -> list[str]:
    models = resources(template, MODEL)
    configs = [one["Properties"] for one in resources(template, CONFIG).values()]
    endpoints = [one["Properties"] for one in resources(template, ENDPOINT).values()]
    count, weights = expect.get("endpoints", 1), expect.get("variants", {expect["variant"]: 1})
    if [len(models), len(configs), len(endpoints)] != [count * len(weights), count, count]:
        return [f"{len(models)} models, {len(configs)} configurations and {len(endpoints)} endpoints, not {count}"]
    found = []
    for config, endpoint in zip(configs, endpoints, strict=True):
        given = {one["VariantName"]: one.get("InitialVariantWeight", 1) for one in config["ProductionVariants"]}
        if given != weights or next(iter(given)) != expect["variant"]:
            found.append(f"the variants are {given}, not {weights}, the first one {expect['variant']}")
        for variant in config["ProductionVariants"]:
            found += _variant_deviations(template, variant, endpoint, expect)
    found += _scaling_deviations(template, expect)
    if expect.get("front_door", False) != bool(resources(template, "AWS::ApiGateway::RestApi")):
        found.append(f"front_door is not {expect.get('front_door', False)}")
    return found


def _variant_deviations(template: Json, variant: Json, endpoint: Json, expect: Json) -> list[str]:
    models = {name: one["Properties"] for name, one in resources(template, MODEL).items()}
    # Without a Model it has an inference component, of which there is one.
    model = models[variant["ModelName"]["Fn::GetAtt"][0]] if "ModelName" in variant else next(iter(models.values()))
    given = _model_facts(model) | _variant_facts(variant) | {"endpoint_name": endpoint.get("EndpointName")}
    given |= _component_facts(template)
    found = [
        f"{key} is {given[key]!r}, not {expect[key]!r}"
        for key in given
        if key in (*expect, "weights", "isolated", "eula_accepted") and given[key] != expect.get(key)
    ]
    found += _environment_deviations(model["PrimaryContainer"].get("Environment", {}), expect)
    if expect["image"] not in text(model["PrimaryContainer"]["Image"]).replace("-tgi", ":tgi-"):
        found.append(f"the image is {text(model['PrimaryContainer']['Image'])}, not {expect['image']}")
    return found


def _scaling_deviations(template: Json, expect: Json) -> list[str]:
    queued = _async_facts(template)
    if queued is not None or "async" in expect:
        wanted = expect.get("async", {})
        compared = {key: value for key, value in (queued or {}).items() if key in wanted or key != "concurrency"}
        return [] if compared == wanted else [f"async is {compared}, not {wanted}"]
    components = resources(template, COMPONENT)
    if components and "copies" not in expect:
        to_zero = _zero_facts(template)
        return [] if to_zero == expect.get("to_zero") else [f"to_zero is {to_zero}, not {expect.get('to_zero')}"]
    found = ["the endpoint does not go to zero"] if "to_zero" in expect else []
    scaling, wanted = _scaling_facts(template), expect.get("scaling")
    if scaling is None or wanted is None:
        return found + ([] if scaling == wanted else [f"scaling is {scaling}, not {wanted}"])
    return found + [
        f"{key} is {scaling[key]!r}, not {value!r}" for key, value in wanted.items() if scaling[key] != value
    ]


def _model_facts(model: Json) -> Json:
    container = model["PrimaryContainer"]
    environment = container.get("Environment", {})
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    archive = "ModelDataUrl" in container or source.get("CompressionType") == "Gzip"
    return {
        "model": environment.get("HF_MODEL_ID"),
        "token": environment.keys() >= _TOKEN,
        "weights": "archive" if archive else "folder" if source else None,
        "eula_accepted": source.get("ModelAccessConfig", {}).get("AcceptEula"),
        "in_vpc": "VpcConfig" in model,
        "isolated": model.get("EnableNetworkIsolation"),
    }


def _variant_facts(variant: Json) -> Json:
    return {
        "instance": variant["InstanceType"],
        "instances": variant["InitialInstanceCount"],
        "startup_timeout": variant.get("ContainerStartupHealthCheckTimeoutInSeconds"),
        "download_timeout": variant.get("ModelDataDownloadTimeoutInSeconds"),
        "volume": variant.get("VolumeSizeInGB"),
    }


def _scaling_facts(template: Json) -> Json | None:
    """What scales the instances, and between which numbers; None if nothing does."""
    targets = [one["Properties"] for one in resources(template, TARGET).values()]
    if not targets:
        return None
    (target,), (policy,) = targets, resources(template, POLICY).values()
    tracked = policy["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    predefined = tracked.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    return {
        "minimum": target["MinCapacity"],
        "maximum": target["MaxCapacity"],
        "metric": predefined or tracked["CustomizedMetricSpecification"]["MetricName"],
        "target": tracked["TargetValue"],
        "scale_in_cooldown": tracked["ScaleInCooldown"],
        "scale_out_cooldown": tracked["ScaleOutCooldown"],
    }


def _async_facts(template: Json) -> Json | None:
    """How an endpoint takes requests from its queue, and between which numbers it scales; None of a real-time one."""
    configs = [one["Properties"].get("AsyncInferenceConfig") for one in resources(template, CONFIG).values()]
    if configs == [None] * len(configs):
        return None
    (config,) = configs
    (target,) = (one["Properties"] for one in resources(template, TARGET).values())
    watched = [one["Properties"].get("MetricName") for one in resources(template, ALARM).values()]
    return {
        "minimum": target["MinCapacity"],
        "maximum": target["MaxCapacity"],
        "wakes": "HasBacklogWithoutCapacity" in watched,
        "topics": sorted(config["OutputConfig"].get("NotificationConfig", {})),
        "concurrency": config["ClientConfig"]["MaxConcurrentInvocationsPerInstance"],
    }


def _zero_facts(template: Json) -> Json:
    """How many copies there are at most, when the last one goes, and how limits change with the clock."""
    (target,) = (one["Properties"] for one in resources(template, TARGET).values())
    alarms = [one["Properties"] for one in resources(template, ALARM).values()]
    (idle,) = (alarm["EvaluationPeriods"] for alarm in alarms if alarm["ComparisonOperator"] == "LessThanThreshold")
    schedule = []
    for action in target.get("ScheduledActions", []):
        limits = action["ScalableTargetAction"]
        schedule.append([action["Schedule"], action["Timezone"], limits["MinCapacity"], limits["MaxCapacity"]])
    return {
        "minimum": target["MinCapacity"],
        "maximum": target["MaxCapacity"],
        "idle_minutes": idle,
        "schedule": schedule,
    }


def _component_facts(template: Json) -> Json:
    """What a variant without a Model leaves to its inference component; nothing if there is none."""
    found = [one["Properties"] for one in resources(template, COMPONENT).values()]
    if not found:
        return {}
    (component,) = found
    specification = component["Specification"]
    return {
        "copies": component["RuntimeConfig"]["CopyCount"],
        "gpus_per_copy": specification["ComputeResourceRequirements"]["NumberOfAcceleratorDevicesRequired"],
        "startup_timeout": specification["StartupParameters"]["ContainerStartupHealthCheckTimeoutInSeconds"],
        "download_timeout": specification["StartupParameters"].get("ModelDataDownloadTimeoutInSeconds"),
    }


def _environment_deviations(environment: Json, expect: Json) -> list[str]:
    """The variables have to be the deployment's and the library's additions, and no others."""
    given = {_SAME.get(name, name): text(value) for name, value in environment.items()}
    wanted = {_SAME.get(name, name): value for name, value in expect["environment"].items()}
    found = [
        f"{name} is {given.get(name)!r}, not {value!r}" for name, value in wanted.items() if given.get(name) != value
    ]
    others = given.keys() - wanted.keys() - _ADDITIONS - _TOKEN - {"HF_MODEL_ID"}
    others -= _REFUSALS if "HF_NUM_CORES" in wanted else set()
    same = dict(expect.get("may_have", {})) | (_OLD_DEFAULTS if "0.9" <= expect["image"] < "2" else {})
    others = {name for name in others if given[name] != same.get(name)}
    return found + [f"{name}={given[name]} is not in the deployment" for name in sorted(others)]
