"""What is legal but risky about serving a model with vLLM."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.vllm.images import HUGGING_FACE
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.validation.unknown import Unknown
from tests.constructs_lib.planning.engines.vllm.requests import LLAMA, warned

FOUR_GPUS = {"instance": InstanceType.G6E_12XLARGE}


def test_a_plain_endpoint_has_no_warning():
    assert warned() == {}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (
            {"tensor_parallel_size": 2, "changes": FOUR_GPUS},
            {"idleGpus": "ml.g6e.12xlarge has 4 GPUs, the model uses 2: the others are paid for and idle."},
        ),
        ({"tensor_parallel_size": 2, "data_parallel_size": 2, "changes": FOUR_GPUS}, {}),
        (
            {"version": "0.28.0"},
            {
                "unboundedQueue": (
                    "vLLM 0.28.0 refuses no request because too many wait: under overload requests wait until they time"
                    " out, instead of getting an error at once. From 0.29.0 on there is a limit (max_num_queued_reqs)."
                    " Let the endpoint scale before requests queue."
                )
            },
        ),
        (
            {"lora_modules": ["a=/a"]},
            {
                "unreachableAdapters": (
                    "At /invocations vLLM takes the name of an adapter from a header that SageMaker sets for inference"
                    " components of adapters only, and answers from the model itself whatever a request says. No front"
                    " door offers adapters of lora_modules. Use adapters of VllmEndpoint."
                )
            },
        ),
        (
            {"enable_log_requests": True, "log_level": "debug"},
            {
                "textsLogged": (
                    "With these options vLLM writes the text of prompts to CloudWatch Logs, where everybody who may"
                    " read the log group can read it."
                )
            },
        ),
        ({"enable_log_requests": True}, {}),
        (
            {"enable_log_requests": True, "enable_log_outputs": True},
            {
                "textsLogged": (
                    "With these options vLLM writes the text of answers to CloudWatch Logs, where everybody who may"
                    " read the log group can read it."
                )
            },
        ),
        (
            {"process_auto_recovery": True},
            {
                "restartsForEver": (
                    "With process_auto_recovery the supervisor starts vLLM again for ever, also after a wrong option: a"
                    " deployment then fails only when startup_timeout is over, and a model that crashes again and again"
                    " keeps its instance."
                )
            },
        ),
        (
            {"lmcache": True, "changes": {"image": ImageChoice(version="0.29.0", family=HUGGING_FACE)}},
            {
                "lmcacheTakesHostMemory": (
                    "LMCache takes half of the memory of ml.g6e.xlarge's host, and more memory of the GPU for models"
                    " with sliding windows. HF_LMCACHE_CPU_FRACTION in `environment` is that share."
                )
            },
        ),
        (
            {"trust_remote_code": True},
            {
                "trustsUnpinnedCode": (
                    "trust_remote_code runs whatever code the model's repository contains when an instance starts. Pin"
                    " it: Model.from_hub(…, revision=commit)."
                )
            },
        ),
        (
            {"max_num_seqs": Unknown("<n>")},
            {
                "unboundedQueue": (
                    "max_num_seqs is known only at deployment, so the plan sets no limit of the queue that follows from"
                    " it: under overload requests wait until they time out. Set max_num_queued_reqs."
                )
            },
        ),
        ({"max_num_seqs": Unknown("<n>"), "max_num_queued_reqs": Unknown("<m>")}, {}),
        ({"trust_remote_code": True, "changes": {"model": replace(LLAMA, revision="abc")}}, {}),
    ],
)
def test_what_is_risky_is_a_warning(changes, found):
    assert warned(**changes) == found


def test_an_image_that_passes_every_variable_on_is_a_warning():
    found = warned(changes={"image": ImageChoice(version="0.14.0", family=HUGGING_FACE)})
    assert found.keys() == {"unboundedQueue", "oldEntrypoint"}
    assert found["oldEntrypoint"] == (
        "The entrypoint of images of vLLM 0.14.0 passes every variable on as it is: a flag that is set to true in"
        " `environment` stops the server, and no model is found in S3 by itself. The plan writes what it reads; a newer"
        " image is safer."
    )
