"""LMI's rules between options, model and instance, and what it is warned about."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.lmi.engine import LMI
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice
from tests.constructs_lib.planning.engines.lmi.conftest import IN_S3, QWEN

FOUR_GPUS = InstanceType.G6E_12XLARGE
OWN_19 = ImageChoice(version="19.0.0", uri_override=True, family=LMI.images)
AWQ = ModelChoice(source="hub", hub_id=QWEN.hub_id, facts=replace(QWEN.known_facts(), quantization="awq"))


def test_a_valid_request_has_no_problem(refusals):
    assert refusals() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"max_model_len": 40_000},
            (
                "options.max_model_len=40000: must be at most 32768, the longest context of Qwen/Qwen2.5-7B-Instruct."
                " Lower"
                " it to 32768 or less, or leave it out."
            ),
        ),
        (
            {"quantize": "gptq"},
            (
                "options.quantize='gptq': needs weights that were published in that format, but those of"
                " Qwen/Qwen2.5-7B-Instruct are not compressed. Leave it out: vLLM sees in config.json how weights are"
                " compressed. fp8 compresses while loading."
            ),
        ),
        (
            {"dtype": "bfloat16"},
            "options.dtype='bfloat16': must be one of fp16, bf16, fp32. Did you mean LmiDtype.BFLOAT16?",
        ),
        (
            {"tensor_parallel_degree": 2},
            "options.tensor_parallel_degree=2: ml.g6e.2xlarge has 1 GPU. Lower it to 1 or less.",
        ),
        (
            {"extra_args": {"max_model_length": "4096"}},
            (
                "options.extra_args['max_model_length']='4096': vLLM 0.23.1 in LMI 27.0.0 has no such argument, and"
                " LMI drops"
                " it without a word. Did you mean options.max_model_len?"
            ),
        ),
        (
            {"extra_args": {"swap_space": "4"}},  # which vLLM had until 0.17
            (
                "options.extra_args['swap_space']='4': vLLM 0.23.1 in LMI 27.0.0 has no such argument, and LMI drops it"
                " without a word. Leave it out, or use an image of a version that has it."
            ),
        ),
    ],
)
def test_what_would_not_start_or_be_dropped_is_refused(refusals, options, message):
    assert message in refusals(options=options)


def test_an_argument_that_the_vllm_of_an_older_version_has_is_passed_on(refusals):
    assert refusals(version="15.0.0", options={"extra_args": {"swap_space": "4"}}) == []


def test_of_a_version_whose_vllm_is_not_known_any_may_be_meant(refusals):
    assert refusals(version="29.0.0", options={"extra_args": {"max_num_queued_reqs": "64"}}) == []
    assert refusals(version="29.0.0", options={"extra_args": {"swap_spaces": "4"}}) == [
        (
            "options.extra_args['swap_spaces']='4': vLLM's engine has no such argument, and LMI drops it without a"
            " word."
            " Leave it out, or use an image of a version that has it."
        )
    ]


def test_versions_without_the_asynchronous_mode_are_refused(refusals):
    assert refusals(version="14.0.0") == [
        (
            "image='14.0.0': LMI before 15.0.0 has no asynchronous mode, so that its answers, streams and limits are"
            " others"
            " than those that are known here. Use LmiImage.version('15.0.0') or newer."
        )
    ]
    assert refusals(version="15.0.0") == []


def test_false_is_refused_where_lmi_drops_it(refusals):
    assert refusals(version="17.0.0", options={"enable_prefix_caching": False}) == [
        (
            "options.enable_prefix_caching=False: LMI 17.0.0 drops it, and vLLM's default stays in force. Use LMI"
            " 27.0.0 or"
            " newer, or leave it out."
        )
    ]
    assert refusals(version="17.0.0", options={"extra_args": {"async_scheduling": "false"}}) == [
        (
            "options.extra_args['async_scheduling']='false': LMI 17.0.0 drops it, and vLLM's default stays in force."
            " Use LMI"
            " 27.0.0 or newer, or leave it out."
        )
    ]
    assert refusals(options={"enable_prefix_caching": False, "extra_args": {"async_scheduling": "false"}}) == []
    assert refusals(version="17.0.0", options={"enforce_eager": False}) == []  # what is so anyway


def test_a_gpu_older_than_ampere_has_no_bfloat16(refusals):
    assert refusals(instance=InstanceType.G4DN_12XLARGE, options={"dtype": "bf16"})[:1] == [
        "options.dtype='bf16': ml.g4dn.12xlarge (T4, compute capability 7.5) has no bfloat16. Use fp16, or a newer GPU."
    ]


def test_since_vllm_0_14_marlin_runs_on_turing(refusals):
    options = {"quantize": "fp8"}
    four = {"instance": InstanceType.G4DN_12XLARGE, "options": options}
    assert refusals(version="17.0.0", **four) == [
        (
            "options.quantize='fp8': ml.g4dn.12xlarge (T4, compute capability 7.5) cannot run its kernels, which need"
            " compute"
            " capability 8.0. Use a newer GPU."
        )
    ]
    assert refusals(version="27.0.0", **four) == []
    volta = replace(InstanceType.G4DN_12XLARGE, name="ml.p3.8xlarge", accelerator="V100", compute_capability=(7, 0))
    (old,) = refusals(version="27.0.0", instance=volta, options=options)
    assert old.endswith("which need compute capability 7.5. Use a newer GPU.")


def test_weights_may_be_named_as_what_they_are(refusals):
    assert refusals(model=AWQ, options={"quantize": "awq"}) == []
    assert refusals(model=AWQ, options={"quantize": "gptq"})[0].startswith(
        "options.quantize='gptq': needs weights that were published in that format, but those of"
        " Qwen/Qwen2.5-7B-Instruct are published as awq."
    )


def test_direct_callers_are_warned_of_streams_and_of_30_tokens(warnings):
    assert warnings()["tgi-endpoint:lmiAnswers"] == (
        "For callers that do not go through a front door: LMI writes a stream as one JSON object in a line, without"
        " data:"
        " and [DONE], and a body with inputs gets 30 tokens unless it has max_new_tokens."
    )


def test_it_is_said_that_nothing_limits_the_queue(warnings):
    assert warnings()["tgi-endpoint:unboundedQueue"] == (
        "LMI passes every request on to vLLM at once, where any number of them waits: it refuses none under overload,"
        " and"
        " job_queue_size does not limit them. Limit requests in front of it, and let the endpoint scale."
    )
    limited = {"extra_args": {"max_num_queued_reqs": "64"}}
    assert "tgi-endpoint:unboundedQueue" not in warnings(version="29.0.0", options=limited)


def test_it_is_said_if_a_version_hides_why_it_refuses_a_request(warnings):
    assert warnings(version="17.0.0")["tgi-endpoint:errorsWithoutReason"] == (
        "LMI 17.0.0 answers a request that its vLLM refuses, such as one with too long a prompt, with a failure of"
        " its own"
        " instead of the reason. LMI 26 and newer name the reason."
    )
    for version in ("15.0.0", "27.0.0"):
        assert "tgi-endpoint:errorsWithoutReason" not in warnings(version=version)


def test_a_model_that_the_vllm_of_the_version_does_not_have_is_refused(refusals):
    newer = ModelChoice(source="hub", hub_id=QWEN.hub_id, facts=replace(QWEN.known_facts(), model_type="deepseek_v4"))
    assert refusals(version="19.0.0", model=newer, image=OWN_19) == [
        (
            "model='Qwen/Qwen2.5-7B-Instruct': vLLM 0.14.0 in LMI 19.0.0 has no class for deepseek_v4 models; it was"
            " added in"
            " 0.20.0. Use LmiImage.version('29.0.0')."
        )
    ]
    assert refusals(model=newer) == []


def test_a_model_that_no_vllm_has_brings_a_warning(warnings):
    unknown = ModelChoice(source="hub", hub_id=QWEN.hub_id, facts=replace(QWEN.known_facts(), model_type="homemade"))
    assert warnings(model=unknown)["tgi-endpoint:noOptimizedImplementation"].startswith(
        "vLLM 0.23.1 in LMI 27.0.0 has no class of its own for homemade models."
    )
    assert "tgi-endpoint:noOptimizedImplementation" not in warnings()


def test_a_parser_that_its_vllm_does_not_have_is_refused(refusals):
    found = refusals(options={"tool_call_parser": "llama"})
    assert found[0].startswith(
        "options.tool_call_parser='llama': vLLM 0.23.1 in LMI 27.0.0 has no such parser, and LMI stops; it has "
    )
    assert "llama3_json" in found[0]
    assert refusals(options={"tool_call_parser": "llama3_json", "reasoning_parser": "qwen3"}) == []
    assert len(refusals(options={"reasoning_parser": "qwen33"})) == 1


def test_settings_beside_weights_in_s3_win(warnings):
    assert warnings(model=IN_S3)["tgi-endpoint:servingProperties"] == (
        "LMI takes settings from a serving.properties beside the weights before those of options, and runs a model.py"
        " there as its handler. Leave both out of the folder, or write there what you mean."
    )
    assert "tgi-endpoint:servingProperties" not in warnings()


def test_fewer_gpus_than_there_are_mean_several_copies(warnings):
    found = warnings(instance=FOUR_GPUS, options={"tensor_parallel_degree": 2})
    assert found["tgi-endpoint:severalCopies"] == (
        "With tensor_parallel_degree=2 LMI runs up to 2 copies of the model on ml.g6e.12xlarge. Each loads the weights"
        " for itself, into the same host's memory, and has a cache of its own."
    )
    assert "tgi-endpoint:idleGpus" not in found
    assert "tgi-endpoint:severalCopies" not in warnings(instance=FOUR_GPUS)


def test_with_adapters_there_is_one_copy_and_other_gpus_are_idle(warnings):
    found = warnings(instance=FOUR_GPUS, options={"tensor_parallel_degree": 2, "enable_lora": True})
    assert found["tgi-endpoint:idleGpus"] == (
        "ml.g6e.12xlarge has 4 GPUs, the model uses 2: the others are paid for and idle."
    )
    assert "tgi-endpoint:severalCopies" not in found


def test_code_that_is_not_pinned_brings_a_warning(warnings):
    assert "tgi-endpoint:trustsUnpinnedCode" in warnings(options={"trust_remote_code": True})
    pinned = replace(QWEN, revision="a09a354")
    assert "tgi-endpoint:trustsUnpinnedCode" not in warnings(model=pinned, options={"trust_remote_code": True})


def test_it_is_said_if_the_vllm_of_a_version_is_not_known(warnings):
    assert warnings(version="29.0.0")["tgi-endpoint:unknownVllm"] == (
        "Which vLLM is in LMI 29.0.0 is not published where this library looks. The plan takes 0.26.0, that of LMI 28."
    )
    assert "tgi-endpoint:unknownVllm" not in warnings(version="27.0.0")


def test_of_a_later_version_nothing_is_refused(planning):
    image = ImageChoice(version="40.0.0", uri_override=True)
    found = planning(image=image, options={"extra_args": {"of_tomorrow": "1"}, "tool_call_parser": "of_tomorrow"})
    assert found.problems == ()
    assert "tgi-endpoint:unknownVllm" in {one.id for one in found.warnings}
    assert found.environment["OPTION_OF_TOMORROW"] == "1"
    assert found.serving.reads_images is None


def test_a_model_that_guesses_ahead_beside_weights_in_s3_is_a_folder(refusals):
    assert refusals(model=IN_S3, options={"speculative_config": '{"model": "/opt/ml/model/draft"}'}) == []
    assert refusals(options={"speculative_config": '{"model": "owner/draft"}'}) == []
    assert refusals(model=IN_S3, options={"speculative_config": '{"model": "owner/draft"}'}) == [
        (
            'options.speculative_config=\'{"model": "owner/draft"}\': its model, owner/draft, is downloaded from the'
            " hub, but weights come from S3 with HF_HUB_OFFLINE=1. Put it beside the weights, and write its path,"
            " /opt/ml/model/…."
        )
    ]


def test_positions_may_be_stretched(refusals):
    yarn = '{"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}'
    assert refusals(options={"max_model_len": 131_072, "hf_overrides": yarn}) == []
    assert len(refusals(options={"max_model_len": 131_072})) == 1


def test_a_step_has_a_token_for_each_request(refusals):
    assert refusals(options={"max_rolling_batch_prefill_tokens": 128}) == [
        (
            "options.max_rolling_batch_prefill_tokens=128: must be at least max_rolling_batch_size=256, for each of"
            " which a step has a token. Raise it, or set a smaller max_rolling_batch_size."
        )
    ]
    assert refusals(options={"max_rolling_batch_prefill_tokens": 128, "max_rolling_batch_size": 128}) == []
