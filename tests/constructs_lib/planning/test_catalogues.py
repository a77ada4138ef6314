"""Every row of the catalogues: its schema, and its agreement with its other figures."""

import jsonschema
import pytest

from constructs_lib.planning.data_files import read
from constructs_lib.planning.hardware.gpu_memory import nvidia_smi_bytes, visible_bytes
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import BITS_PER_PARAMETER, BYTES_PER_PARAMETER, known_model, known_models

DAY = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 1}
FLAG = {"type": "boolean"}


def row(required, optional):
    return {
        "type": "object",
        "properties": required | optional,
        "required": list(required),
        "additionalProperties": False,
    }


def or_null(schema):
    return {"anyOf": [schema, {"type": "null"}]}


HUB_ID = {"type": "string", "pattern": r"^[\w.-]+/[\w.-]+$"}
GATED = {"enum": ["yes", "no", "sometimes"]}
COUNTS = ("parameters", "layers", "hidden", "heads", "kv_heads", "head_dim", "max_positions", "intermediate")
MODEL = row(
    dict.fromkeys((*COUNTS, "vocabulary"), COUNT)
    | {
        "hub_id": HUB_ID,
        "tied_embeddings": FLAG,
        "checkpoint_dtype": {"enum": list(BYTES_PER_PARAMETER)},
        "model_type": TEXT,
        "licence": TEXT,
        "gated": GATED,
        "source": TEXT,
        "date": DAY,
    },
    {
        "experts": COUNT,
        "experts_per_token": COUNT,
        "quantization": {"enum": list(BITS_PER_PARAMETER)},
        "weight_bytes": COUNT,
        "bits": COUNT,
        "group_size": {"anyOf": [COUNT, {"const": -1}]},
        "act_order": FLAG,
        "alibi": FLAG,
        "rope": TEXT,
        "sliding_window": COUNT,
        "cache_width": COUNT,
        "trained_positions": COUNT,
        "latent_width": COUNT,
        "layer_groups": {
            "type": "array",
            "minItems": 1,
            "items": row(
                {"layers": COUNT}, {"window": COUNT, "state_bytes": COUNT, "kv_heads": COUNT, "head_dim": COUNT}
            ),
        },
        "reads_images": FLAG,
        "auto_map": FLAG,
    },
)
OF_ITS_OWN = {"hub_id", "source", "date"}
ALIAS = row(
    {"same_as": HUB_ID} | {name: MODEL["properties"][name] for name in sorted(OF_ITS_OWN)},
    {name: schema for name, schema in MODEL["properties"].items() if name not in OF_ITS_OWN},
)
PRICE = {"type": "number", "exclusiveMinimum": 0}
INSTANCE = row(
    {
        "name": {"type": "string", "pattern": r"^ml\.[a-z0-9-]+\.\d*x?large$"},
        "accelerator": TEXT,
        "is_gpu": FLAG,
        "compute_capability": or_null({"type": "string", "pattern": r"^\d+\.\d$"}),
        "accelerator_count": or_null(COUNT),
        "memory_gib": or_null({"type": "number", "minimum": 8}),
        "cores_per_accelerator": or_null(COUNT),
        "architecture": {"enum": ["x86_64", "arm64"]},
        "vcpu": or_null(COUNT),
        "host_memory_gib": or_null(COUNT),
        "nvme_gb": or_null({"type": "integer", "minimum": 0}),
        "volume_configurable": FLAG,
        "volume_rule_unverified": FLAG,
        "price_usd_per_hour": or_null(PRICE),
        "price_is_derived": FLAG,
        "ec2_price_usd_per_hour": or_null(PRICE),
        "price_source": or_null(TEXT),
        "price_date": or_null(DAY),
        "source": TEXT,
        "date": DAY,
    },
    {},
)
ACCELERATOR = row(
    {
        "accelerator": TEXT,
        "visible_gib": {"type": "number", "minimum": 8},
        "nvidia_smi_mib": COUNT,
        "tflops": or_null(COUNT),
        "source": TEXT,
        "date": DAY,
    },
    {},
)
CASES = [
    pytest.param(one, schema, id=f"{catalogue}-{one.get('hub_id') or one.get('name') or one['accelerator']}")
    for catalogue, part, schema in (
        ("models/models", "rows", MODEL),
        ("models/models", "aliases", ALIAS),
        ("hardware/instances", "rows", INSTANCE),
        ("hardware/instances", "accelerators", ACCELERATOR),
    )
    for one in read(catalogue)[part]
]


@pytest.mark.parametrize(("one", "schema"), CASES)
def test_every_row_matches_its_schema(one, schema):
    jsonschema.validate(one, schema)


def test_the_schema_finds_a_wrong_row():
    with pytest.raises(jsonschema.ValidationError, match="'yes', 'no', 'sometimes'"):
        jsonschema.validate(read("models/models")["rows"][0] | {"gated": "maybe"}, MODEL)


def test_there_are_this_many_models():
    rows, aliases = read("models/models")["rows"], read("models/models")["aliases"]
    assert (len(rows), len(aliases)) == (178, 215)


@pytest.mark.parametrize(
    "hub_id",
    [
        "amazon/FalconLite",
        "fdtn-ai/Foundation-Sec-8B-Instruct",
        "google/gemma-2b",
        "google/medgemma-27b-it",
        "HuggingFaceH4/zephyr-7b-beta",
        "HuggingFaceM4/idefics-80b-instruct",
        "meta-llama/Meta-Llama-3-70B-Instruct",
        "mistralai/Mistral-7B-Instruct-v0.1",
        "mistralai/Mixtral-8x7B-v0.1",
        "NousResearch/Hermes-3-Llama-3.1-8B",
        "NousResearch/Llama-2-7b-chat-hf",
        "openchat/openchat_8192",
        "OpenAssistant/pythia-12b-sft-v8-7k-steps",
        "Qwen/Qwen2.5-14B-Instruct-GPTQ-Int4",
        "Qwen/QwQ-32B-Preview",
        "TheBloke/Pygmalion-2-13B-GPTQ",
        "WizardLM/WizardCoder-1B-V1.0",
    ],
)
def test_models_of_public_deployments_are_known(hub_id):
    assert known_model(hub_id) is not None


WINDOWS = {
    "mistralai/Mistral-7B-Instruct-v0.1": 4096,
    "HuggingFaceH4/zephyr-7b-beta": 4096,
    "mistralai/Mistral-7B-Instruct-v0.2": None,
    "mistralai/Mistral-7B-Instruct-v0.3": None,
    "mistralai/Mixtral-8x7B-Instruct-v0.1": None,
    "bigcode/starcoder2-15b": 4096,
}


def test_the_sliding_windows_are_those_of_the_configs():
    windows = {hub_id: known_model(hub_id).sliding_window for hub_id in WINDOWS}
    assert windows == WINDOWS


# Besides the text model they have a vision encoder.
SEEING = ("gemma3", "idefics", "idefics2", "idefics3", "llama4", "llava_next", "mistral3", "mllama", "paligemma")
SEEING += ("qwen2_vl", "qwen2_5_vl")
UNGATED = ("bloom", "falcon", "gpt2", "gpt_bigcode", "gpt_neo", "gpt_neox", "gptj", "mpt", "opt", "phi", "starcoder2")
UNGATED += ("RefinedWeb", "RefinedWebModel")
LEARNED_POSITIONS = ("gpt2", "gpt_bigcode", "gpt_neo", "opt")
# Latent attention and experts of several sizes: their configs, which CONFIGS has, count exactly.
DEEPSEEK = ("deepseek_v2", "deepseek_v3")
BY_SIZES = [
    facts
    for facts in known_models()
    if facts.model_type not in DEEPSEEK and not any(group.state_bytes for group in facts.layer_groups)
]


def counted(facts):
    """The parameters by the sizes: attention, feed-forward, embeddings; biases and norms are too small to count."""
    query, keys = facts.heads * facts.head_dim, facts.kv_heads * facts.head_dim
    attention = facts.hidden * (2 * query + 2 * keys)
    matrices = 2 if facts.model_type in UNGATED else 3
    feed_forward = matrices * facts.hidden * facts.intermediate * facts.experts
    layers = facts.layers * (attention + feed_forward)
    if facts.model_type == "t5":  # its layers are gated; the encoder has as many, and the decoder attends to it
        layers = facts.layers * (3 * attention + 2 * feed_forward)
    positions = facts.max_positions if facts.model_type in LEARNED_POSITIONS else 0
    return layers + (facts.vocabulary * (1 if facts.tied_embeddings else 2) + positions) * facts.hidden


@pytest.mark.parametrize("facts", BY_SIZES, ids=lambda facts: facts.hub_id)
def test_the_sizes_of_a_model_give_its_parameters(facts):
    least = 0.69 if facts.model_type in SEEING else 0.988
    assert least <= counted(facts) / facts.parameters <= 1.012


@pytest.mark.parametrize(
    "instance", [one for one in InstanceType.all() if one.is_gpu and one.memory_gib], ids=lambda one: one.name
)
def test_cuda_sees_a_little_less_of_a_gpu_than_its_data_sheet_says(instance):
    assert 0.9 <= visible_bytes(instance) / (instance.memory_gib * 2**30) < 1
    assert visible_bytes(instance) < nvidia_smi_bytes(instance)


def test_the_memory_of_an_unpublished_gpu_is_not_guessed():
    with pytest.raises(ValueError, match=r"the memory of the GPUs of ml\.p6e-gb200\.36xlarge is not known"):
        visible_bytes(InstanceType.P6E_GB200_36XLARGE)


def test_a_callers_own_figure_wins_over_the_catalogues():
    own = InstanceType.of("ml.g5.9xlarge", accelerator="A10G", accelerator_count=1, memory_gib=48)
    assert visible_bytes(own) == int(48 * 0.97 * 2**30)
