"""SGLang's rules between options, model and instance, and what it is warned about."""

from dataclasses import replace

import pytest

from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice
from tests.constructs_lib.planning.engines.sglang.conftest import QWEN, s3_model

FOUR_GPUS = InstanceType.G6E_12XLARGE
AWQ = ModelChoice(source="hub", hub_id=QWEN.hub_id, facts=replace(QWEN.known_facts(), quantization="awq"))


def test_a_valid_request_has_no_problem(refusals):
    assert refusals() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"context_length": 40_000},
            (
                "options.context_length=40000: must be at most 32768, the longest context of Qwen/Qwen2.5-7B-Instruct."
                " Lower it to 32768 or less, or leave it out."
            ),
        ),
        (
            {"quantization": "awq"},
            (
                "options.quantization='awq': needs weights that were published in that format, but those of"
                " Qwen/Qwen2.5-7B-Instruct are not compressed. Leave it out: SGLang sees in config.json how weights are"
                " compressed. fp8 compresses while loading."
            ),
        ),
        (
            {"lora_paths": ["a=x/one", "b=x/two"]},
            (
                "options.lora_paths=['a=x/one', 'b=x/two']: has several adapters, of which the entrypoint of this"
                " image makes"
                " one argument. Give one, or serve each adapter with an endpoint of its own."
            ),
        ),
        (
            {"lora_paths": ["x/one"]},
            (
                "options.lora_paths=['x/one']: has the item 'x/one', which must be an adapter with a name: name=/path"
                " or"
                " name=hub-id. Write it in that form, or leave it out."
            ),
        ),
        (
            {"mem_fraction_static": 1.0},
            (
                "options.mem_fraction_static=1.0: must be above 0 and below 1. Choose a number in that range, or"
                " leave it"
                " out."
            ),
        ),
        (
            {"max_queued_requests": 0},  # SGLang would refuse every request
            "options.max_queued_requests=0: must be from 1 to 4294967295. Raise it to 1 or more.",
        ),
        (
            {"tp_size": 8},
            "options.tp_size=8: ml.g6e.2xlarge has 1 GPU. Lower it to 1 or less.",
        ),
        (
            {"extra_args": {"quantization_param_pth": "/x"}},
            (
                "options.extra_args['quantization_param_pth']='/x': SGLang 0.5.20 has no such argument, so that it"
                " would stop"
                " at once. Did you mean 'quantization_param_path'?"
            ),
        ),
    ],
)
def test_what_would_not_start_is_refused(refusals, options, message):
    assert message in refusals(options=options)


def test_gpus_are_split_between_copies(refusals):
    assert refusals(instance=FOUR_GPUS, options={"dp_size": 2, "tp_size": 2}) == []
    assert refusals(instance=FOUR_GPUS, options={"dp_size": 2}) == [
        (
            "options.dp_size=2: takes a part of the 4 GPUs of ml.g6e.12xlarge for each copy, so tp_size has to say"
            " how many."
            " Set options.tp_size."
        )
    ]
    assert refusals(instance=FOUR_GPUS, options={"dp_size": 3, "tp_size": 2}) == [
        "options.dp_size=3: needs 6 GPUs with tp_size=2, but ml.g6e.12xlarge has 4. Lower it to 2 or less."
    ]


def test_with_attention_for_parts_of_a_batch_dp_size_splits_the_gpus_of_one_copy(planning):
    options = {"tp_size": 4, "dp_size": 4, "extra_args": {"enable_dp_attention": "true"}}
    found = planning(instance=FOUR_GPUS, options=options)
    assert (found.problems, found.copies, found.accelerators) == ((), 1, 4)


def test_a_container_takes_the_gpus_of_all_its_copies(planning):
    found = planning(instance=FOUR_GPUS, options={"dp_size": 2, "tp_size": 2})
    assert (found.num_shard, found.copies, found.accelerators) == (2, 2, 4)


def test_a_gpu_older_than_ampere_has_neither_bfloat16_nor_marlin(refusals):
    assert refusals(instance=InstanceType.G4DN_12XLARGE, options={"dtype": "bfloat16", "quantization": "fp8"})[:2] == [
        (
            "options.dtype='bfloat16': ml.g4dn.12xlarge (T4, compute capability 7.5) has no bfloat16. Use float16, or a"
            " newer GPU."
        ),
        (
            "options.quantization='fp8': ml.g4dn.12xlarge (T4, compute capability 7.5) cannot run its kernels, which"
            " need"
            " compute capability 8.0. Use a newer GPU."
        ),
    ]


def test_each_kind_of_compression_has_its_least_gpu(refusals):
    ampere = {"instance": InstanceType.G5_12XLARGE}
    assert refusals(**ampere, options={"quantization": "fp8"}) == []
    assert refusals(**ampere, options={"quantization": "w8a8_fp8"}) == [
        (
            "options.quantization='w8a8_fp8': ml.g5.12xlarge (A10G, compute capability 8.6) cannot run its kernels,"
            " which"
            " need compute capability 8.9. Use a newer GPU."
        )
    ]


def test_weights_may_be_named_as_what_they_are(refusals):
    assert refusals(model=AWQ, options={"quantization": "awq_marlin"}) == []
    assert refusals(model=AWQ, options={"quantization": "gptq"})[0].startswith(
        "options.quantization='gptq': needs weights that were published in that format, but those of"
        " Qwen/Qwen2.5-7B-Instruct are published as awq."
    )


def test_an_adapter_beside_weights_in_s3_is_a_folder(refusals):
    assert refusals(model=s3_model(), options={"lora_paths": ["a=/opt/ml/model/a"]}) == []
    assert refusals(model=s3_model(), options={"lora_paths": ["a=x/one"]}) == [
        (
            "options.lora_paths='a=x/one': is downloaded from the hub, but weights come from S3 with"
            " HF_HUB_OFFLINE=1. Put it beside the weights, and write its path, /opt/ml/model/…."
        )
    ]


def test_a_model_that_guesses_ahead_beside_weights_in_s3_is_a_folder(refusals):
    def draft(path):
        return {"speculative_algorithm": "EAGLE", "speculative_draft_model_path": path}

    assert refusals(model=s3_model(), options=draft("/opt/ml/model/draft")) == []
    assert refusals(options=draft("owner/draft")) == []
    assert refusals(model=s3_model(), options=draft("owner/draft")) == [
        (
            "options.speculative_draft_model_path='owner/draft': is downloaded from the hub, but weights come from S3"
            " with HF_HUB_OFFLINE=1. Put it beside the weights, and write its path, /opt/ml/model/…."
        )
    ]


def test_a_flag_that_the_entrypoint_would_leave_out_is_refused(refusals):
    assert refusals(options={"extra_args": {"enable_mis": "false"}}) == [
        (
            "options.extra_args['enable_mis']='false': is nothing to the entrypoint of the image, which then leaves the"
            " argument out. Leave it out: a flag that is not given is off."
        )
    ]


def test_several_values_of_a_further_argument_are_refused(refusals):
    assert refusals(options={"extra_args": {"lora_target_modules": '["q_proj", "k_proj"]'}}) == [
        (
            "options.extra_args['lora_target_modules']=['q_proj', 'k_proj']: are several values, of which the"
            " entrypoint of this image makes one argument. Give one, or choose a newer image."
        )
    ]


def test_of_a_version_that_is_not_known_nothing_is_refused_but_that_is_said(planning):
    image = ImageChoice(version="0.7.0", uri_override=True)
    options = {"extra_args": {"of_tomorrow": "1"}, "tool_call_parser": "of_tomorrow"}
    found = planning(image=image, options=options)
    assert found.problems == ()
    assert {one.id: one.message for one in found.warnings}["tgi-endpoint:unknownRelease"] == (
        "What this library knows of SGLang is from 0.5.8 to 0.5.20, so arguments, parsers and models were not checked"
        " for 0.7.0."
    )
    assert found.environment["SM_SGLANG_OF_TOMORROW"] == "1"
    assert found.serving.reads_images is None
    assert "tgi-endpoint:unknownRelease" not in {one.id for one in planning().warnings}


def test_it_is_said_that_there_are_chats_only(warnings):
    assert warnings()["tgi-endpoint:chatRoutesOnly"] == (
        "SGLang 0.5.20 answers chat requests only at /invocations. A front door offers /v1/chat/completions for this"
        " model; completions of a prompt, and TGI's routes that take one, are refused."
    )


def test_it_is_said_that_the_health_check_never_fails(warnings):
    assert warnings()["tgi-endpoint:healthNotChecked"] == (
        "The health check of SGLang 0.5.20 (/ping) answers as long as the HTTP server runs, also if no request can be"
        " served: SageMaker does not replace such an instance. Its watchdog ends a step that hangs, and the container"
        " starts again. Let alarms on errors and latency tell you: monitor of the endpoint or the front door."
    )


def test_gpus_that_are_paid_for_and_idle_bring_a_warning(warnings):
    assert warnings(instance=FOUR_GPUS, options={"tp_size": 2})["tgi-endpoint:idleGpus"] == (
        "ml.g6e.12xlarge has 4 GPUs, the model uses 2: the others are paid for and idle."
    )
    assert "tgi-endpoint:idleGpus" not in warnings(instance=FOUR_GPUS, options={"tp_size": 2, "dp_size": 2})
    assert "tgi-endpoint:idleGpus" not in warnings(instance=FOUR_GPUS)


def test_a_short_watchdog_brings_a_warning(warnings):
    assert warnings(options={"watchdog_timeout": 60})["tgi-endpoint:shortWatchdog"] == (
        "SGLang stops itself after a step that takes longer than watchdog_timeout=60 seconds, and every request in"
        " progress is lost. A long prompt, or the first of its kind, may take that long; SGLang's own limit is 300."
    )
    assert "tgi-endpoint:shortWatchdog" not in warnings()
    assert "tgi-endpoint:shortWatchdog" not in warnings(options={"watchdog_timeout": 600})


def test_texts_in_the_log_bring_a_warning(warnings):
    options = {"extra_args": {"log_requests": "true"}}
    assert warnings(options=options)["tgi-endpoint:textsLogged"] == (
        "With log_requests SGLang writes prompts and answers to CloudWatch Logs, where everybody who may read the log"
        " group can read them. log_requests_level 0 and 1 leave them out."
    )
    assert "tgi-endpoint:textsLogged" not in warnings()


def test_a_parser_that_the_version_does_not_have_is_refused(refusals):
    found = refusals(options={"tool_call_parser": "llama3_json"})
    assert found[0].startswith(
        "options.tool_call_parser='llama3_json': SGLang 0.5.20 has no such parser; it has apertus"
    )
    assert "llama3" in found[0]
    assert refusals(options={"tool_call_parser": "llama3", "reasoning_parser": "qwen3"}) == []
    assert len(refusals(options={"reasoning_parser": "qwen33"})) == 1


def test_auto_is_a_parser_since_0_5_13(refusals):
    assert refusals(options={"tool_call_parser": "auto", "reasoning_parser": "auto"}) == []
    assert len(refusals(version="0.5.8", options={"tool_call_parser": "auto", "reasoning_parser": "auto"})) == 2


def test_a_model_without_a_class_of_its_own_brings_a_warning(warnings):
    def model(model_type):
        return ModelChoice(source="hub", hub_id=QWEN.hub_id, facts=replace(QWEN.known_facts(), model_type=model_type))

    assert warnings(version="0.5.8", model=model("granite_swa"))["tgi-endpoint:noOptimizedImplementation"] == (
        "SGLang 0.5.8 has no class of its own for granite_swa models. It tries the class of transformers, slower and"
        " not"
        " for every model. SglangImage.version('0.5.20') has one."
    )
    assert warnings(model=model("homemade"))["tgi-endpoint:noOptimizedImplementation"].endswith(
        "Look at the container's log after the first deployment."
    )
    assert "tgi-endpoint:noOptimizedImplementation" not in warnings()


def test_other_risks_bring_a_warning(warnings):
    found = warnings(options={"enable_metrics": False, "trust_remote_code": True})
    assert found["tgi-endpoint:noEngineMetrics"] == (
        "Without enable_metrics SGLang has no metrics of tokens, queue and cache for SageMaker's detailed"
        " observability."
    )
    assert "tgi-endpoint:trustsUnpinnedCode" in found
    pinned = replace(QWEN, revision="a09a354")
    assert "tgi-endpoint:trustsUnpinnedCode" not in warnings(model=pinned, options={"trust_remote_code": True})


def test_the_entrypoint_of_hugging_faces_image_is_not_known(warnings):
    assert warnings(version="0.5.8")["tgi-endpoint:unpublishedEntrypoint"] == (
        "The entrypoint of Hugging Face's image of SGLang 0.5.8 is not public. The plan takes it to read the"
        " variables of"
        " AWS's image; look at the arguments in the container's log after the first deployment."
    )
    assert "tgi-endpoint:unpublishedEntrypoint" not in warnings(version="0.5.20")


def test_it_runs_on_no_inferentia(refusals):
    assert refusals(instance=InstanceType.INF2_XLARGE) != []


def test_positions_may_be_stretched(refusals):
    yarn = '{"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}'
    assert refusals(options={"context_length": 131_072, "json_model_override_args": yarn}) == []
    assert len(refusals(options={"context_length": 131_072})) == 1
