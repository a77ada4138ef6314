"""Every row of the catalogues: its schema, and its agreement with its other figures."""

import jsonschema
import pytest

from constructs_lib.planning.data_files import read
from constructs_lib.planning.engines.tgi.options import Quantization
from constructs_lib.planning.hardware.gpu_memory import nvidia_smi_bytes, visible_bytes
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import BYTES_PER_PARAMETER, known_models

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
        "quantization": {"enum": list(Quantization)},
        "weight_bytes": COUNT,
        "bits": COUNT,
        "group_size": {"anyOf": [COUNT, {"const": -1}]},
        "act_order": FLAG,
        "alibi": FLAG,
        "rope": TEXT,
        "sliding_window": COUNT,
        "cache_width": COUNT,
        "trained_positions": COUNT,
        "auto_map": FLAG,
    },
)
ALIAS = row(
    {"hub_id": HUB_ID, "same_as": HUB_ID, "source": TEXT, "date": DAY},
    {
        "parameters": COUNT,
        "tied_embeddings": FLAG,
        "max_positions": COUNT,
        "licence": TEXT,
        "gated": GATED,
    },
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


def test_there_are_the_53_models_of_the_article_and_current_ones_and_one_vision_model():
    assert len(read("models/models")["rows"]) == 53 + 1


UNGATED = ("bloom", "opt", "gpt_neox", "gpt_bigcode", "falcon")
# Besides the text model they have a vision encoder.
SEEING = ("gemma3", "mllama")


def counted(facts):
    """The parameters by the sizes: attention, feed-forward, embeddings; biases and norms are too small to count."""
    query, keys = facts.heads * facts.head_dim, facts.kv_heads * facts.head_dim
    attention = facts.hidden * (2 * query + 2 * keys)
    feed_forward = (2 if facts.model_type in UNGATED else 3) * facts.hidden * facts.intermediate * facts.experts
    layers = facts.layers * (attention + feed_forward)
    if facts.model_type == "t5":  # the encoder has as many layers, and the decoder attends to it
        layers = facts.layers * (3 * attention + 2 * feed_forward)
    return layers + facts.vocabulary * facts.hidden * (1 if facts.tied_embeddings else 2)


@pytest.mark.parametrize("facts", known_models(), ids=lambda facts: facts.hub_id)
def test_the_sizes_of_a_model_give_its_parameters(facts):
    least = 0.9 if facts.model_type in SEEING else 0.988
    assert least <= counted(facts) / facts.parameters <= 1.012


@pytest.mark.parametrize("instance", [one for one in InstanceType.all() if one.memory_gib], ids=lambda one: one.name)
def test_cuda_sees_a_little_less_of_a_gpu_than_its_data_sheet_says(instance):
    assert 0.9 <= visible_bytes(instance) / (instance.memory_gib * 2**30) < 1
    assert visible_bytes(instance) < nvidia_smi_bytes(instance)


def test_the_memory_of_an_unpublished_gpu_is_not_guessed():
    with pytest.raises(ValueError, match=r"the memory of the GPUs of ml\.p6e-gb200\.36xlarge is not known"):
        visible_bytes(InstanceType.P6E_GB200_36XLARGE)


def test_a_callers_own_figure_wins_over_the_catalogues():
    own = InstanceType.of("ml.g5.9xlarge", accelerator="A10G", accelerator_count=1, memory_gib=48)
    assert visible_bytes(own) == int(48 * 0.97 * 2**30)
