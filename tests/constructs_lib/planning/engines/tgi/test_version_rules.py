"""What a version of TGI cannot run, with the version and the image that can."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice, known_model
from constructs_lib.planning.sizing.candidates import candidate

LLAMA = replace(known_model("meta-llama/Llama-3.1-8B-Instruct"), rope=None)
FOUR = InstanceType.G5_12XLARGE
ONE = InstanceType.G6E_XLARGE
LIMITS = {"max_input_tokens": 1024, "max_total_tokens": 1536}


def like_llama(**changes):
    return ModelChoice(source="hub", hub_id="me/mine", facts=replace(LLAMA, hub_id="me/mine", gating="no", **changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param(
            {"hub_id": "Qwen/Qwen2.5-7B-Instruct", "version": "1.4.0", "instance": FOUR},
            "options.num_shard=None: TGI 1.4.0 does not have qwen2 and leaves it to transformers, on one GPU only; it"
            " was added in 1.4.3. Use TgiImage.version('1.4.5') or a newer image. Or: Set options.num_shard to 1, or"
            " use an instance with one GPU.",
            id="shared by a fallback",
        ),
        pytest.param(
            {"model": like_llama(model_type="stablelm"), "instance": FOUR},
            "options.num_shard=None: TGI 3.3.6 does not have stablelm and leaves it to transformers, on one GPU only"
            ' ("sharded is not supported for AutoModel"). Set options.num_shard to 1, or use an instance with one GPU.',
            id="shared by a fallback of the newest version",
        ),
        pytest.param(
            {"model": like_llama(model_type="mamba"), "instance": FOUR},
            "options.num_shard=None: TGI 3.3.6 runs mamba models on one GPU only. Set options.num_shard to 1, or use an"
            " instance with one GPU.",
            id="a class of its own that cannot be shared",
        ),
        pytest.param(
            {"hub_id": "google/gemma-3-1b-it", "version": "3.0.1", "instance": ONE},
            "image='3.0.1': TGI 3.0.1 does not have gemma3_text; it was added in 3.2.0."
            " Use TgiImage.version('3.2.0') or a newer image.",
            id="not yet",
        ),
        pytest.param(
            {"hub_id": "Qwen/Qwen3-4B", "version": "3.2.0", "instance": ONE},
            "image='3.2.0': TGI 3.2.0 does not have qwen3; it was added in 3.2.3."
            " Use TgiImage.version('3.2.3') or a newer image.",
            id="not yet in transformers",
        ),
        pytest.param(
            {"model": like_llama(model_type="falcon_h1"), "instance": ONE},
            "model='me/mine': TGI 3.3.6 does not have falcon_h1, nor has its transformers 4.51.0."
            " Use a model that TGI runs, or another engine.",
            id="never",
        ),
        pytest.param(
            {"model": like_llama(model_type="phi3small", auto_map=True), "instance": ONE},
            "model='me/mine': TGI 3.3.6 does not have phi3small, nor has its transformers 4.51.0."
            " Set options.trust_remote_code to run the code of its repository, slowly and on one GPU, and pin its"
            " revision.",
            id="in the repository only",
        ),
        pytest.param(
            {"hub_id": "facebook/galactica-6.7b", "version": "1.0.3", "instance": ONE},
            "image='1.0.3': TGI 1.0.3 does not run facebook/galactica-6.7b: its batches lack top_n_tokens; 1.1.0 does."
            " Use TgiImage.version('1.1.0') or a newer image.",
            id="a class that is broken",
        ),
        pytest.param(
            {"model": like_llama(model_type="olmo2"), "version": "3.1.1", "instance": ONE},
            "image='3.1.1': TGI 3.1.1 does not run me/mine: it asks each class of transformers for"
            " is_backend_compatible, which its transformers 4.48.3 does not have; 3.2.0 does. Use"
            " TgiImage.version('3.2.0') or a newer image.",
            id="transformers that lack what is asked of them",
        ),
        pytest.param(
            {"model": like_llama(model_type="phi-msft"), "instance": ONE},
            "model='me/mine': TGI 3.3.6 does not run me/mine: \"Legacy phi-msft is not supported with Flash"
            ' Attention". Use a model that TGI runs, or another engine.',
            id="refused by name",
        ),
        pytest.param(
            {"model": like_llama(model_type="phi3", kv_heads=32), "version": "2.0.2", "instance": ONE},
            "options.trust_remote_code=None: TGI 2.0.2 does not have the configuration of phi3 models and needs the"
            " code of the repository for it. Set it to True, and pin the model's revision. Or: Use"
            " TgiImage.version('2.2.0') or a newer image.",
            id="configuration in the repository only",
        ),
        pytest.param(
            {"model": like_llama(), "version": "0.8.2", "instance": ONE},
            "image='0.8.2': TGI 0.8.2 does not support fewer key-value heads (8) than attention heads (32) in llama"
            " models; that came with 0.9.3. Use TgiImage.version('0.9.3') or a newer image.",
            id="grouped heads",
        ),
        pytest.param(
            {"model": like_llama(model_type="mistral", head_dim=160), "version": "2.0.2", "instance": ONE},
            "image='2.0.2': TGI 2.0.2 does not support a head_dim of 160 beside hidden_size 4096 and 32 heads in"
            " mistral models; that came with 2.2.0. Use TgiImage.version('2.2.0') or a newer image.",
            id="head_dim",
        ),
        pytest.param(
            {"model": like_llama(head_dim=160), "instance": ONE},
            "model='me/mine': TGI 3.3.6 does not support a head_dim of 160 beside hidden_size 4096 and 32 heads in"
            " llama models. Use another model: no version of TGI does.",
            id="head_dim in a class that never reads it",
        ),
        pytest.param(
            {"model": like_llama(model_type="qwen2", tied_embeddings=True), "version": "2.2.0", "instance": ONE},
            "image='2.2.0': TGI 2.2.0 does not support an output layer that is the embedding of the input"
            " (tie_word_embeddings) in qwen2 models; that came with 2.3.0."
            " Use TgiImage.version('2.3.1') or a newer image.",
            id="tied embeddings",
        ),
        pytest.param(
            {"model": like_llama(rope="llama3"), "version": "2.0.2", "instance": ONE},
            "image='2.0.2': TGI 2.0.2 does not support rope_scaling of the type 'llama3' in llama models; that came"
            " with 2.2.0. Use TgiImage.version('2.2.0') or a newer image.",
            id="rope_scaling",
        ),
        pytest.param(
            {"model": like_llama(rope="yarn"), "version": "1.4.5", "instance": ONE},
            "image='1.4.5': TGI 1.4.5 does not support rope_scaling of the type 'yarn' in llama models; that came with"
            " 2.2.0. Use TgiImage.version('2.2.0') or a newer image.",
            id="rope_scaling that the configuration class refuses",
        ),
        pytest.param(
            {
                "model": like_llama(quantization="awq"),
                "version": "1.4.0",
                "instance": ONE,
                "options": {"dtype": "float16"},
            },
            "options.dtype='float16': TGI 1.4.0 has to be told that the weights of me/mine were published as awq, and"
            " then takes no type; from 2.0.0 on it sees that. Leave it out.",
            id="compressed weights that are not detected",
        ),
        pytest.param(
            {
                "model": like_llama(quantization="awq", settings_in_config=True),
                "version": "1.1.0",
                "instance": ONE,
                "options": {"quantize": "awq"},
            },
            "image='1.1.0': TGI 1.1.0 does not support settings of awq in config.json alone, without a"
            " quant_config.json, in llama models; that came with 1.3.0. Use TgiImage.version('1.3.1') or a newer"
            " image.",
            id="AWQ before its settings are found",
        ),
        pytest.param(
            {"model": like_llama(quantization="exl2"), "version": "2.0.2", "instance": ONE},
            "image='2.0.2': TGI 2.0.2 does not support weights that were published as exl2 in llama models; that came"
            " with 2.1.0. Use TgiImage.version('2.2.0') or a newer image.",
            id="a format that came later",
        ),
        pytest.param(
            {
                "model": like_llama(model_type="gpt_neox", kv_heads=32, quantization="awq"),
                "version": "2.0.2",
                "instance": ONE,
            },
            "image='2.0.2': TGI 2.0.2 does not support weights that were published as awq in gpt_neox models; that came"
            " with 2.1.1. Use TgiImage.version('2.2.0') or a newer image.",
            id="AWQ in a class that reads GPTQ's settings alone",
        ),
        pytest.param(
            {
                "model": like_llama(model_type="mixtral"),
                "version": "1.3.1",
                "instance": ONE,
                "options": {"quantize": "eetq"},
            },
            "image='1.3.1': TGI 1.3.1 does not support compressed weights in mixtral models; that came with 1.3.2."
            " Use TgiImage.version('1.3.3') or a newer image.",
            id="compression in a class that has none",
        ),
        pytest.param(
            {"hub_id": "google/flan-t5-xxl", "instance": ONE, "options": LIMITS},
            "options.max_total_tokens=1536: TGI 3.3.6 never starts t5 models with limits: its warm-up ends in"
            " \"TypeError: 'NoneType' object is not iterable\". Use TgiImage.version('2.4.0'), the newest image that"
            " does, or leave out max_input_tokens and max_total_tokens: TGI then takes them from"
            " max_batch_prefill_tokens.",
            id="an encoder-decoder with limits",
        ),
        pytest.param(
            {"model": like_llama(model_type="qwen3", quantization="awq"), "instance": ONE},
            "model='me/mine': its weights were published as awq, but TGI 3.3.6 leaves qwen3 models to transformers and"
            " then does not load them. Use the repository with the uncompressed weights; bitsandbytes compresses them"
            " while loading.",
            id="compressed weights for a fallback",
        ),
    ],
)
def test_what_a_version_cannot_run_is_refused_with_the_image_that_can(changes, words, refusals):
    assert refusals(**changes) == [words]


@pytest.mark.parametrize(
    "changes",
    [
        {"hub_id": "Qwen/Qwen2.5-7B-Instruct", "version": "1.4.5", "instance": InstanceType.G6E_12XLARGE},
        {"hub_id": "Qwen/Qwen2.5-7B-Instruct", "version": "1.4.0", "instance": ONE},
        {"model": like_llama(model_type="phi3small", auto_map=True), "options": {"trust_remote_code": True}},
        {"model": like_llama(model_type="mistral", head_dim=160), "version": "2.2.0", "instance": ONE},
        {"model": like_llama(rope="llama3"), "version": "2.2.0", "instance": ONE},
        {"model": like_llama(rope="dynamic"), "version": "1.4.5", "instance": ONE},
        {"model": like_llama(quantization="gptq", group_size=-1), "version": "1.3.3", "options": {"quantize": "gptq"}},
        {"model": like_llama(quantization="awq"), "version": "1.1.0", "instance": ONE},
        {"hub_id": "google/flan-t5-xxl", "version": "2.4.0", "instance": ONE, "options": LIMITS},
        {"hub_id": "google/flan-t5-xxl", "instance": ONE},
        {"model": like_llama(model_type="qwen3", quantization="fp8"), "instance": ONE},
    ],
    ids=str,
)
def test_what_a_version_can_run_is_accepted(changes, refusals):
    assert refusals(**changes) == []


def test_an_encoder_decoder_gets_no_limits_that_it_could_not_start_with(planning):
    environment = planning(hub_id="google/flan-t5-xxl", instance=ONE).environment
    assert not {"MAX_INPUT_TOKENS", "MAX_TOTAL_TOKENS"} & environment.keys()


def test_a_fallback_in_static_batches_brings_a_warning_with_the_image_that_has_a_class(planning):
    plan = planning(hub_id="Qwen/Qwen2.5-7B-Instruct", version="1.4.0", instance=ONE)
    found = {warning.id: warning.message for warning in plan.warnings}
    assert found["tgi-endpoint:noOptimizedImplementation"] == (
        "TGI 1.4.0 has no implementation of its own for qwen2 models and runs Qwen/Qwen2.5-7B-Instruct with"
        " transformers, in static padded batches on one GPU, much slower. Use TgiImage.version('1.4.5') or a newer"
        " image."
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"model": like_llama(model_type="mistral", sliding_window=4096), "version": "2.4.0"},
            "mistral models look back at a sliding window, which needs Ampere GPUs or newer",
        ),
        (
            {"model": like_llama(model_type="mistral"), "version": "1.3.3"},
            "TGI 1.3.3 runs mistral models on Ampere GPUs or newer only",
        ),
        (
            {"model": like_llama(kv_heads=32), "version": "2.2.0"},
            "TGI 2.2.0 runs models with paged attention on Ampere GPUs or newer only",
        ),
    ],
)
def test_attention_that_older_gpus_lack_is_refused(changes, words, refusals):
    (found, *_) = refusals(**changes, instance=InstanceType.G4DN_12XLARGE)
    assert found == (
        f"instance_type='ml.g4dn.12xlarge': {words}, but T4 is older. Use a newer GPU, such as InstanceType.G6_XLARGE."
    )


def test_a_class_without_a_sliding_window_runs_prompts_up_to_it_on_older_gpus(refusals):
    phi = like_llama(model_type="phi3", kv_heads=32, sliding_window=2047)
    on_t4 = {"model": phi, "instance": InstanceType.G4DN_12XLARGE}
    assert refusals(**on_t4, options={"max_input_tokens": 2047, "max_total_tokens": 2048}) == []
    assert refusals(**on_t4, options={"max_input_tokens": 2048, "max_total_tokens": 4096}) == [
        (
            "options.max_input_tokens=2048: must be at most 2047, the sliding window of me/mine: TGI has none on GPUs"
            " that are older than Ampere, such as the T4 of ml.g4dn.12xlarge. Lower it, or use a newer GPU, such as"
            " InstanceType.G6_XLARGE."
        )
    ]


def test_one_older_gpu_runs_a_sliding_window_with_transformers_in_some_versions(refusals):
    mistral = like_llama(model_type="mistral", sliding_window=4096)
    changes = {"model": mistral, "instance": InstanceType.G4DN_12XLARGE, "version": "2.0.2"}
    assert not [words for words in refusals(**changes, options={"num_shard": 1}) if "sliding window" in words]
    assert [words for words in refusals(**changes) if "sliding window" in words]


def test_gemma_3_needs_newer_gpus_also_where_no_window_is_known(refusals):
    gemma = like_llama(model_type="gemma3_text", rope=None, sliding_window=None)
    (found, *_) = refusals(model=gemma, instance=InstanceType.G4DN_12XLARGE)
    assert "gemma3_text models look back at a sliding window, which needs Ampere GPUs or newer" in found


def test_no_limits_are_suggested_where_tgi_does_not_start_with_them():
    t5, bloom = known_model("google/flan-t5-xl"), known_model("bigscience/bloom-7b1")
    settings = [
        candidate(facts, InstanceType.G5_2XLARGE, engine=TGI, tokens=None, options=TgiOptions()).settings
        for facts in (t5, bloom)
    ]
    assert ["max_total_tokens" in one for one in settings] == [False, True]
