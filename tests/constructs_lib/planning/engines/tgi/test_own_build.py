"""A build or a fork of TGI keeps TGI's options, and what its version cannot run is no error."""

from dataclasses import replace

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import Quantization, TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointRequest

IMAGE = ImageChoice(
    version="2.0.1", uri_override=True, uri="123456789012.dkr.ecr.eu-west-1.amazonaws.com/lorax:0.12", own_build=True
)
REQUEST = EndpointRequest(
    engine=TGI,
    model=ModelChoice(source="hub", hub_id="Qwen/Qwen3-8B", revision="abc"),
    instance=InstanceType.G5_12XLARGE,
    image=IMAGE,
    options=TgiOptions(quantize=Quantization.EETQ, trust_remote_code=True),
    region="eu-west-1",
)


def test_what_the_version_could_not_run_is_a_warning():
    as_published = plan(replace(REQUEST, image=replace(IMAGE, own_build=False)))
    own = plan(REQUEST)
    assert [found.keyword for found in as_published.problems] == ["image"]
    assert own.problems == ()
    (warning,) = [found for found in own.warnings if found.id == "tgi-endpoint:ownBuildUnchecked"]
    assert warning.message.startswith("image='2.0.1': ")
    assert warning.message.endswith(
        "That is so for TGI 2.0.1 as it was published; whether your build differs is not known."
    )


def test_an_entrypoint_of_its_own_reads_the_launchers_names():
    environment = plan(REQUEST).environment
    translated = {name: environment[name] for name in ("MODEL_ID", "REVISION", "NUM_SHARD", "QUANTIZE", "PORT")}
    assert translated == {
        "MODEL_ID": "Qwen/Qwen3-8B",
        "REVISION": "abc",
        "NUM_SHARD": "4",
        "QUANTIZE": "eetq",
        "PORT": "8080",
    }
    assert (environment["HF_MODEL_ID"], environment["TRUST_REMOTE_CODE"]) == ("Qwen/Qwen3-8B", "true")


def test_an_image_as_it_was_published_gets_the_names_of_its_entrypoint_only():
    request = replace(REQUEST, image=ImageChoice(version="3.3.6"))
    assert not {"MODEL_ID", "REVISION", "NUM_SHARD", "QUANTIZE", "PORT"} & plan(request).environment.keys()
