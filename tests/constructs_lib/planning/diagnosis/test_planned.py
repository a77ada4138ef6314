"""What is deployed is planned again, and the plan's words and figures are evidence."""

from dataclasses import replace

import pytest

from constructs_lib.planning.diagnosis.deployed_request import deployed_request
from constructs_lib.planning.diagnosis.diagnose import diagnose
from constructs_lib.planning.diagnosis.planned import plans_of
from constructs_lib.planning.diagnosis.signals import Deployed, Line, Series, Signals, Source
from constructs_lib.planning.engines import ENGINES, engine_named
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointRequest
from tests.constructs_lib.planning.diagnosis.test_causes import EXAMPLES, NOW

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
OUT_OF_MEMORY = Line(Source.LOG, EXAMPLES["out-of-memory"][1])


def image(engine: str = "tgi", version: str | None = None) -> str:
    images = engine_named(engine).images
    repository, tag = images.repository_and_tag(version or images.newest)
    return f"763104351884.dkr.ecr.us-east-1.amazonaws.com/{repository}:{tag}"


def tgi(instance: str, **variables: str) -> Deployed:
    environment = {"HF_MODEL_ID": LLAMA, "HF_TOKEN": "hf_made_up_token", "SM_NUM_GPUS": "1"} | variables
    return Deployed(name="AllTraffic", image=image(), environment=environment, instance_types=(instance,))


def signals(deployed: Deployed, *lines: Line, status: str = "Failed", **others: object) -> Signals:
    return Signals(region="us-east-1", status=status, deployed=(deployed,), lines=lines, **others)


def test_it_says_by_how_much_a_model_does_not_fit():
    (finding, *_) = diagnose(signals(tgi("ml.g4dn.xlarge", MAX_TOTAL_TOKENS="8192", MAX_INPUT_TOKENS="8191"))).findings
    assert (finding.id, finding.weight) == ("out-of-memory", 60)
    assert finding.evidence[0].source == "plan"
    assert finding.evidence[0].text.startswith("does not fit: 4.7 GiB short on its GPU")
    assert finding.fix.startswith("What would fit")


def test_a_plan_that_says_the_same_as_the_log_makes_it_likelier_and_gives_the_advice():
    alone = diagnose(signals(tgi("ml.g5.2xlarge"), OUT_OF_MEMORY)).findings[0]
    confirmed = diagnose(
        signals(tgi("ml.g4dn.xlarge", MAX_TOTAL_TOKENS="8192", MAX_INPUT_TOKENS="8191"), OUT_OF_MEMORY)
    ).findings[0]
    assert confirmed.id == alone.id == "out-of-memory"
    assert confirmed.weight == alone.weight + 5
    assert [one.source for one in confirmed.evidence] == ["container log", "plan"]
    assert "GiB short" in confirmed.evidence[1].text
    assert confirmed.fix.startswith("What would fit")


def test_what_fits_has_no_finding_and_says_how_much_is_left():
    result = diagnose(signals(tgi("ml.g5.2xlarge"), status="InService"))
    assert result.findings == ()
    (words,) = [one.words() for one in result.plans]
    assert words.startswith(f"{LLAMA} on TGI 3.3.6, ml.g5.2xlarge: fits, with ")


def test_a_version_that_does_not_have_the_model_is_named():
    old = Deployed(
        name="v",
        image=image(version="2.2.0"),
        environment={"HF_MODEL_ID": "Qwen/Qwen3-8B"},
        instance_types=("ml.g5.2xlarge",),
    )
    (finding, *_) = diagnose(signals(old)).findings
    assert finding.id == "image-too-old"
    assert "TGI 2.2.0 does not have qwen3" in finding.evidence[0].text


def test_more_requests_than_an_instance_works_on_are_an_overload():
    deployed = tgi("ml.g5.2xlarge")
    (planned,) = plans_of(signals(deployed))
    assert planned.streams
    for requests, expected in ((planned.streams, []), (planned.streams + 1, ["overload"])):
        metric = Series("ConcurrentRequestsPerModel", "Maximum", ((NOW, requests),))
        read = signals(deployed, status="InService", metrics={metric.name: metric})
        assert [one.id for one in diagnose(read).findings] == expected


def test_a_value_of_another_type_is_named_without_the_value():
    (finding, *_) = diagnose(signals(tgi("ml.g5.2xlarge", MAX_TOTAL_TOKENS="lots"))).findings
    assert finding.id == "option-rejected"
    assert finding.evidence[0].text == "MAX_TOTAL_TOKENS has a value of another type"


@pytest.mark.parametrize("name", [name for name in ENGINES if name != "tgi-neuron"])
def test_what_a_construct_deploys_is_read_back(name):
    engine = engine_named(name)
    planned = plan(
        EndpointRequest(
            engine=engine,
            model=ModelChoice(source="hub", hub_id=LLAMA, revision="main", has_token=True),
            instance=InstanceType.G5_12XLARGE,
            image=ImageChoice(version=engine.images.newest),
            region="us-east-1",
        )
    )
    deployed = Deployed(
        name="v",
        image=image(name),
        environment=planned.environment | dict.fromkeys(planned.token_variables, "hf_made_up_token"),
        instance_types=("ml.g5.12xlarge",),
        ami=planned.inference_ami_version,
        startup_seconds=planned.startup_timeout_seconds,
    )
    read = deployed_request(deployed, "us-east-1")
    assert read is not None
    assert (read.request.engine.name, read.request.model.hub_id, read.unread) == (name, LLAMA, ())
    again = plan(read.request)
    assert again.problems == ()
    assert again.memory is not None
    assert planned.memory is not None
    # The margin is what the plan keeps free when it chooses options itself, which are given now.
    assert replace(again.memory, margin=planned.memory.margin) == planned.memory
    assert again.environment == planned.environment


@pytest.mark.parametrize(
    ("deployed", "hub_id"),
    [
        (Deployed(name="v", weights=f"s3://b/team/models/{LLAMA}/0e9e39/", image=image()), LLAMA),
        (Deployed(name="v", weights="s3://b/my-model/", image=image()), None),
    ],
)
def test_staged_weights_are_known_by_their_place(deployed, hub_id):
    found = deployed_request(
        Deployed(
            name="v",
            weights=deployed.weights,
            image=deployed.image,
            instance_types=("ml.g5.2xlarge",),
            environment={"HF_MODEL_ID": "/opt/ml/model"},
        ),
        "us-east-1",
    )
    assert found is not None
    assert found.request.model.hub_id == hub_id


@pytest.mark.parametrize(
    ("uri", "engine"),
    [
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/mirror/" + image("vllm").partition("/")[2], "vllm"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/my-own:1", None),
        ("", None),
        ("nginx:latest", None),
    ],
)
def test_the_engine_is_known_by_the_image_also_of_a_copy(uri, engine):
    found = deployed_request(Deployed(name="v", image=uri, instance_types=("ml.g5.2xlarge",)), "us-east-1")
    assert (found.request.engine.name if found else None) == engine
