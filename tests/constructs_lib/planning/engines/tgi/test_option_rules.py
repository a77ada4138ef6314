"""TGI's rules between options, model and GPU, each with its message."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice, known_model

BLOOM = "bigscience/bloom-560m"
T4 = InstanceType.G4DN_XLARGE
ROOMY = InstanceType.P5_4XLARGE
SMALL = "meta-llama/Llama-3.2-1B-Instruct"
LLAMA_2 = "meta-llama/Llama-2-7b-hf"  # without what a version of TGI had to learn
OLD = {"version": "0.8.2", "hub_id": LLAMA_2, "instance": ROOMY}
SHORT = {"max_input_tokens": 1000, "max_total_tokens": 2000}
TOKENS = {"max_input_tokens": 3000, "max_total_tokens": 4000}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param(
            {"options": {"max_input_tokens": 9000, "max_total_tokens": 4096}},
            "options.max_input_tokens=9000: must be less than max_total_tokens=4096."
            " Lower it, or raise max_total_tokens.",
            id="input not below total",
        ),
        pytest.param(
            {"options": {"max_input_tokens": 4096, "max_total_tokens": 4096}},
            "options.max_input_tokens=4096: must be less than max_total_tokens=4096."
            " Lower it, or raise max_total_tokens.",
            id="input equal to total",
        ),
        pytest.param(
            {"options": {"max_input_tokens": 4096, "speculate": 2}},
            "options.max_input_tokens=4096: is set without max_total_tokens, which TGI then takes from the prompt of"
            " its warm-up, because speculate switches prefill chunking off. Set max_total_tokens as well: the longest"
            " prompt and answer together.",
            id="input without total, unchunked",
        ),
        pytest.param(
            {"options": {"max_total_tokens": 4096}},
            "options.max_total_tokens=4096: is set without max_input_tokens: TGI 3 then warms up with a whole prefill,"
            " which may be longer. Set max_input_tokens as well, to at most 4095.",
            id="total without input",
        ),
        pytest.param(
            {"version": "0.8.2", "hub_id": LLAMA_2, "instance": ROOMY, "options": {"max_input_tokens": 1512}},
            "options.max_input_tokens=1512: must be less than max_total_tokens=1512, the default of TGI 0.8.2."
            " Set max_total_tokens as well: the longest prompt and answer together.",
            id="input without total, 0.8",
        ),
        pytest.param(
            {"version": "1.4.5", "instance": ROOMY, "options": {"max_total_tokens": 1024}},
            "options.max_total_tokens=1024: must be more than max_input_tokens=1024, the default of TGI 1.4.5."
            " Set max_input_tokens as well, to at most 1023.",
            id="total without input, 1.x",
        ),
        pytest.param(
            {"version": "2.2.0", "instance": ROOMY, "options": {"max_input_tokens": 5000}},
            "options.max_input_tokens=5000: must be less than max_total_tokens=4096, the default of TGI 2.2.0 for"
            " meta-llama/Llama-3.1-8B-Instruct. Set max_total_tokens as well: the longest prompt and answer together.",
            id="input without total, 2.x",
        ),
        pytest.param(
            {"version": "2.2.0", "hub_id": "tiiuae/falcon-7b", "options": {"max_total_tokens": 2000}},
            "options.max_total_tokens=2000: must be more than max_input_tokens=2047, the default of TGI 2.2.0 for"
            " tiiuae/falcon-7b. Set max_input_tokens as well, to at most 1999.",
            id="total without input, 2.x",
        ),
        pytest.param(
            {"version": "2.2.0", "instance": ROOMY, "options": {"max_batch_total_tokens": 4000}},
            "options.max_batch_total_tokens=4000: must be at least max_total_tokens=4096, the default of TGI 2.2.0 for"
            " meta-llama/Llama-3.1-8B-Instruct. Raise it, or set max_input_tokens and max_total_tokens.",
            id="batch below the default total",
        ),
        pytest.param(
            {"options": TOKENS | {"max_batch_total_tokens": 3999}},
            "options.max_total_tokens=4000: must be at most max_batch_total_tokens=3999."
            " Lower it, or raise max_batch_total_tokens.",
            id="total above batch",
        ),
        pytest.param(
            {"version": "0.9.3", "instance": ROOMY, "options": {"max_input_tokens": 4000, "max_total_tokens": 16001}},
            "options.max_total_tokens=16001: must be at most max_batch_total_tokens=16000 (the default of TGI 0.9.3)."
            " Lower it, or raise max_batch_total_tokens.",
            id="total above the batch's old default",
        ),
        pytest.param(
            {
                "version": "2.3.1",
                "instance": ROOMY,
                "options": {"max_batch_prefill_tokens": 5000, "max_batch_total_tokens": 4999},
            },
            "options.max_batch_prefill_tokens=5000: must be at most max_batch_total_tokens=4999."
            " Lower it, or raise max_batch_total_tokens.",
            id="prefill above batch",
        ),
        pytest.param(
            {
                "hub_id": "bigscience/bloom-560m",
                "options": {"max_batch_prefill_tokens": 5000, "max_batch_total_tokens": 4999},
            },
            "options.max_batch_prefill_tokens=5000: must be at most max_batch_total_tokens=4999."
            " Lower it, or raise max_batch_total_tokens.",
            id="prefill above a batch that is not measured",
        ),
        pytest.param(
            {"version": "2.4.0", "options": TOKENS | {"max_batch_prefill_tokens": 2999}},
            "options.max_batch_prefill_tokens=2999: must be at least max_input_tokens=3000, because TGI 2.4.0 prefills"
            " a prompt in one batch. Raise it, or lower max_input_tokens.",
            id="prefill below input before chunking",
        ),
        pytest.param(
            {"options": TOKENS | {"max_batch_prefill_tokens": 2999, "prefill_chunking": False}},
            "options.max_batch_prefill_tokens=2999: must be at least max_input_tokens=3000, because prefill_chunking is"
            " False. Raise it, or lower max_input_tokens.",
            id="prefill below input with chunking switched off",
        ),
        pytest.param(
            {"options": TOKENS | {"max_batch_prefill_tokens": 2999, "speculate": 2}},
            "options.max_batch_prefill_tokens=2999: must be at least max_input_tokens=3000, because speculate switches"
            " prefill chunking off. Raise it, or lower max_input_tokens.",
            id="prefill below input with speculation",
        ),
        pytest.param(
            {"options": TOKENS | {"max_batch_prefill_tokens": 2999, "attention": "paged"}},
            "options.max_batch_prefill_tokens=2999: must be at least max_input_tokens=3000, because paged attention has"
            " no prefill chunking. Raise it, or lower max_input_tokens.",
            id="prefill below input with paged attention",
        ),
        pytest.param(
            {"hub_id": BLOOM, "options": SHORT | {"max_batch_prefill_tokens": 999}},
            "options.max_batch_prefill_tokens=999: must be at least max_input_tokens=1000, because TGI has no prefill"
            " chunking for bloom models. Raise it, or lower max_input_tokens.",
            id="prefill below input of a model without chunking",
        ),
        pytest.param(
            {"options": {"dtype": "float16", "quantize": "eetq"}},
            "options.dtype='float16': cannot be combined with quantize='eetq', which decides the type."
            " Leave out one of the two.",
            id="dtype with quantize",
        ),
        pytest.param(
            {"version": "1.1.0", "options": {"dtype": "float16", "quantize": "bitsandbytes"}},
            "options.dtype='float16': cannot be combined with quantize='bitsandbytes', which decides the type."
            " Leave out one of the two.",
            id="dtype with bitsandbytes before 1.2",
        ),
        pytest.param(
            {"instance": T4, "hub_id": SMALL, "options": {"dtype": "bfloat16"}},
            "options.dtype='bfloat16': ml.g4dn.xlarge (T4, compute capability 7.5) has no bfloat16."
            " Use float16, or a newer GPU.",
            id="bfloat16 on T4",
        ),
        pytest.param(
            {"instance": T4, "hub_id": SMALL, "options": {"quantize": "fp8"}},
            "options.quantize='fp8': ml.g4dn.xlarge (T4, compute capability 7.5) cannot run its kernels, which need"
            " compute capability 8.0. Use a newer GPU.",
            id="fp8 on T4",
        ),
        pytest.param(
            {"version": "2.0.2", "instance": InstanceType.G5_12XLARGE, "options": {"quantize": "fp8"}},
            "options.quantize='fp8': ml.g5.12xlarge (A10G, compute capability 8.6) cannot run its kernels, which need"
            " compute capability 8.9. Use a newer GPU.",
            id="fp8 on A10G before 2.2",
        ),
        pytest.param(
            {"version": "2.2.0", "instance": ROOMY, "options": {"lora_adapters": ["a/b", "c=/opt/ml/model/c"]}},
            "options.lora_adapters='c=/opt/ml/model/c': TGI 2.2.0 takes hub ids only, without a name, path or revision."
            " Use a newer image, or write the adapter's hub id.",
            id="a named adapter before 2.3",
        ),
        pytest.param(
            {"instance": T4, "hub_id": SMALL, "options": {"prefix_caching": True}},
            "options.prefix_caching=True: does not work with attention='paged', which ml.g4dn.xlarge needs."
            " Leave prefix_caching out, or set it to False.",
            id="prefix caching on T4",
        ),
        pytest.param(
            {"options": {"prefix_caching": True, "attention": "paged"}},
            "options.prefix_caching=True: does not work with attention='paged'."
            " Leave prefix_caching out, or set it to False.",
            id="prefix caching with paged attention",
        ),
        pytest.param(
            {"instance": T4, "hub_id": SMALL, "options": {"attention": "flashinfer"}},
            "options.attention='flashinfer': ml.g4dn.xlarge (T4) is older than Ampere and runs paged attention only."
            " Leave it out.",
            id="flashinfer on T4",
        ),
        pytest.param(
            {"options": {"attention": "flashdecoding", "kv_cache_dtype": "fp8_e5m2"}},
            "options.kv_cache_dtype='fp8_e5m2': does not work with attention='flashdecoding'."
            " Leave attention out, or use flashinfer.",
            id="fp8 cache with flashdecoding",
        ),
        pytest.param(
            {"hub_id": "tiiuae/falcon-7b", "options": {"kv_cache_dtype": "fp8_e5m2"}},
            "options.kv_cache_dtype='fp8_e5m2': does not work with attention='flashdecoding', which TGI chooses for"
            " tiiuae/falcon-7b. Leave it out.",
            id="fp8 cache of a model without flashinfer",
        ),
        pytest.param(
            {"hub_id": "microsoft/Phi-3-mini-4k-instruct", "options": {"kv_cache_dtype": "fp8_e5m2"}},
            "options.kv_cache_dtype='fp8_e5m2': does not work with attention='flashdecoding', which TGI chooses for"
            " microsoft/Phi-3-mini-4k-instruct. Leave it out.",
            id="fp8 cache with heads that flashinfer does not take",
        ),
        pytest.param(
            {"version": "3.0.1", "options": {"attention": "paged", "kv_cache_dtype": "fp8_e5m2"}},
            "options.kv_cache_dtype='fp8_e5m2': does not work with attention='paged'."
            " Leave attention out, or use flashinfer.",
            id="fp8 cache with paged attention before 3.1",
        ),
        pytest.param(
            {"version": "3.0.1", "instance": T4, "hub_id": SMALL, "options": {"kv_cache_dtype": "fp8_e5m2"}},
            "options.kv_cache_dtype='fp8_e5m2': does not work with attention='paged', which ml.g4dn.xlarge needs."
            " Leave it out.",
            id="fp8 cache on T4 before 3.1",
        ),
        pytest.param(
            {"hub_id": "Qwen/Qwen3-8B", "options": {"quantize": "awq"}},
            "options.quantize='awq': TGI 3.3.6 leaves qwen3 models to transformers, for which it takes bitsandbytes"
            " only. Leave it out, or use bitsandbytes.",
            id="quantized fallback",
        ),
        pytest.param(
            {"hub_id": "Qwen/Qwen3-8B", "options": {"speculate": 2}},
            "options.speculate=2: TGI 3.3.6 leaves qwen3 models to transformers, which do not support speculation."
            " Leave it out.",
            id="speculating fallback",
        ),
        pytest.param(
            {"model": ModelChoice(source="s3"), "options": {"lora_adapters": ["a/b"]}},
            "options.lora_adapters='a/b': is downloaded from the hub, but weights come from S3 with HF_HUB_OFFLINE=1."
            " Put it beside the weights and write name=/opt/ml/model/….",
            id="hub adapter beside weights in S3",
        ),
        pytest.param(
            {"options": {"lora_adapters": ["/opt/ml/model/sql"]}},
            "options.lora_adapters='/opt/ml/model/sql': is a folder without a name; TGI takes it for a repository on"
            " the hub. Write name=/opt/ml/model/sql; requests choose the adapter by that name.",
            id="folder as an adapter",
        ),
        pytest.param(
            {"model": ModelChoice(source="s3"), "options": {"lora_adapters": ["./sql"]}},
            "options.lora_adapters='./sql': is a folder without a name; TGI takes it for a repository on"
            " the hub. Write name=/opt/ml/model/…; requests choose the adapter by that name.",
            id="relative folder as an adapter",
        ),
        pytest.param(
            {"options": {"lora_adapters": ["sql=team/sql"]}},
            "options.lora_adapters='sql=team/sql': has a name, so it must be a folder of the container: TGI does not"
            " download it. Write 'team/sql' for a repository on the hub, without a name.",
            id="hub adapter with a name",
        ),
        pytest.param(
            {"version": "2.2.0", "options": {"lora_adapters": ["sql=/opt/ml/model/sql"]}},
            "options.lora_adapters='sql=/opt/ml/model/sql': TGI 2.2.0 takes hub ids only, without a name, path"
            " or revision. Use a newer image, or write the adapter's hub id.",
            id="folder on a version without names",
        ),
        pytest.param(
            {"hub_id": BLOOM, "options": SHORT | {"lora_adapters": ["a/b"]}},
            "options.lora_adapters=['a/b']: TGI does not support adapters for bloom models."
            " Leave it out, or merge the adapter into the weights.",
            id="adapter of a model without flash attention",
        ),
        pytest.param(
            {"options": {"prometheus_port": 8080}},
            "options.prometheus_port=8080: is taken: it is SageMaker's own. Choose another port.",
            id="SageMaker's port",
        ),
        pytest.param(
            {"options": {"prometheus_port": 9999, "master_port": 9999}},
            "options.master_port=9999: is taken: it is options.prometheus_port. Choose another port.",
            id="one port twice",
        ),
    ],
)
def test_a_broken_rule_is_reported(changes, words, refusals):
    assert refusals(**changes) == [words]


@pytest.mark.parametrize(
    "options",
    [
        {"max_input_tokens": 4095, "max_total_tokens": 4096},
        {"max_input_tokens": 4095, "max_total_tokens": 4096, "max_batch_total_tokens": 4096},
        {"max_input_tokens": 4095, "max_total_tokens": 4096, "max_batch_prefill_tokens": 512},
        {"dtype": "float16", "quantize": "bitsandbytes-nf4"},
        {"max_input_tokens": 4096},
        {"max_total_tokens": 4096, "max_batch_prefill_tokens": 2048},
        {"max_batch_prefill_tokens": 5000, "max_batch_total_tokens": 4999},
        {"watermark_gamma": 0, "watermark_delta": 0},
        {"watermark_gamma": 1},
        {"kv_cache_dtype": "fp8_e5m2", "attention": "paged"},
        {"lora_adapters": ["a/b@main"]},
        {"prometheus_port": 9000, "master_port": 29500},
    ],
)
def test_what_keeps_the_rules_is_accepted(options, refusals):
    assert refusals(options=options) == []


@pytest.mark.parametrize(
    ("version", "options"),
    [
        ("0.8.2", {"max_input_tokens": 1500}),
        ("0.8.2", {"max_total_tokens": 1512}),
        ("0.8.2", {"max_input_tokens": 3000, "max_total_tokens": 6000}),
        ("1.4.5", {"max_input_tokens": 2047}),
        ("1.4.5", {"max_total_tokens": 1025}),
        ("2.2.0", {"max_input_tokens": 4095}),
        ("2.2.0", {"max_total_tokens": 4096}),
        ("2.0.2", {"quantize": "fp8"}),
        ("2.2.0", {"lora_adapters": ["a/b"]}),
        ("2.3.1", {"lora_adapters": ["a/b@main", "c=/opt/ml/model/c"]}),
        ("2.4.0", {"max_batch_prefill_tokens": 5000, "max_batch_total_tokens": 4999}),
        ("2.4.0", TOKENS | {"max_batch_prefill_tokens": 2999, "prefill_chunking": True}),
    ],
)
def test_what_keeps_the_rules_of_an_older_version_is_accepted(version, options, refusals):
    assert refusals(version=version, hub_id=LLAMA_2, instance=ROOMY, options=options) == []


def test_a_wrong_number_does_not_break_further_rules(refusals):
    found = refusals(options={"max_input_tokens": 100, "max_total_tokens": "4096"})
    assert found == ["options.max_total_tokens='4096': must be a whole number, not str. Write 4096."]


def test_adapters_beside_the_weights_need_no_network(refusals):
    s3 = ModelChoice(source="s3")
    assert refusals(model=s3, network_isolation=True, options={"lora_adapters": ["a=/opt/ml/model/a"]}) == []


def test_old_gpus_get_paged_attention(planning):
    assert planning(instance=T4, hub_id=SMALL).environment["ATTENTION"] == "paged"


def test_paged_attention_goes_without_prefix_caching_in_2_3(planning):
    cached = [
        planning(instance=T4, hub_id=SMALL, version=version).environment.get("USE_PREFIX_CACHING")
        for version in ("2.2.0", "2.3.1", "2.4.0")
    ]
    assert cached == [None, "false", None]
    assert "USE_PREFIX_CACHING" not in planning(instance=ROOMY, version="2.3.1").environment


def test_old_gpus_get_no_attention_before_it_was_an_option(planning):
    assert "ATTENTION" not in planning(instance=T4, hub_id=SMALL, version="2.2.0").environment


@pytest.mark.parametrize(
    ("changes", "prefill"),
    [
        pytest.param({"options": TOKENS}, None, id="chunked"),
        pytest.param({"options": TOKENS | {"speculate": 2}}, "4096", id="speculating"),
        pytest.param(
            {"options": {"max_input_tokens": 9000, "max_total_tokens": 9999, "speculate": 2}}, "9000", id="long prompts"
        ),
        pytest.param({"hub_id": BLOOM, "options": SHORT}, "4096", id="bloom"),
        pytest.param({"hub_id": "google/gemma-3-4b-it", "options": TOKENS}, "8000", id="images count as prompt"),
        pytest.param({"hub_id": "google/flan-t5-xl"}, None, id="t5 by TGI's own limits"),
        pytest.param({"version": "2.4.0", "options": TOKENS}, None, id="2.x works it out itself"),
        pytest.param(
            {"version": "2.2.0", "instance": ROOMY, "options": TOKENS | {"max_batch_total_tokens": 6144}},
            None,
            id="2.x works it out itself below a batch",
        ),
        pytest.param(
            {
                "version": "2.2.0",
                "instance": ROOMY,
                "options": {"max_input_tokens": 3950, "max_total_tokens": 4000, "max_batch_total_tokens": 4000},
            },
            None,
            id="2.x has room for 50 more tokens",
        ),
        pytest.param(
            {
                "version": "2.2.0",
                "instance": ROOMY,
                "options": {"max_input_tokens": 3951, "max_total_tokens": 4000, "max_batch_total_tokens": 4000},
            },
            "4000",
            id="2.x would exceed the batch",
        ),
        pytest.param(
            {
                "version": "2.2.0",
                "instance": ROOMY,
                "options": TOKENS | {"max_batch_total_tokens": 6144, "max_batch_size": 4},
            },
            "6144",
            id="2.x multiplies by max_batch_size",
        ),
        pytest.param({"version": "1.4.5", "instance": ROOMY, "options": TOKENS}, None, id="1.x has room"),
        pytest.param(
            {"version": "1.4.5", "instance": ROOMY, "options": {"max_input_tokens": 9000, "max_total_tokens": 9999}},
            "9000",
            id="1.x",
        ),
        pytest.param(
            OLD | {"options": TOKENS},
            None,
            id="0.8 has no such option",
        ),
        pytest.param(
            {"version": "1.4.5", "options": {"max_batch_total_tokens": 3000}}, "3000", id="1.x in a small batch"
        ),
        pytest.param(
            {"options": {"max_batch_total_tokens": 3000}}, None, id="a batch that flash models work out themselves"
        ),
        pytest.param({"hub_id": "me/mine", "options": {"max_batch_total_tokens": 3000}}, "3000", id="unknown model"),
        pytest.param(
            {"hub_id": BLOOM, "options": SHORT | {"max_batch_prefill_tokens": 3500}},
            "3500",
            id="given",
        ),
    ],
)
def test_a_prefill_budget_is_set_if_tgis_default_would_not_fit(changes, prefill, planning):
    plan = planning(**changes)
    assert (plan.problems, plan.environment.get("MAX_BATCH_PREFILL_TOKENS")) == ((), prefill)


@pytest.mark.parametrize(
    ("changes", "id"),
    [
        ({"options": {"trust_remote_code": True}}, "tgi-endpoint:trustsUnpinnedCode"),
        ({"version": "2.0.0", "instance": ROOMY, "options": {"messages_api_enabled": True}}, "tgi-endpoint:chatOnly"),
        ({"options": {"messages_api_enabled": True}}, "tgi-endpoint:messagesApiAlways"),
        ({"options": {"max_batch_total_tokens": 9000}}, "tgi-endpoint:batchTotalIgnored"),
        (
            {"version": "1.0.3", "instance": ROOMY, "options": {"max_batch_total_tokens": 9000}},
            "tgi-endpoint:batchTotalIgnored",
        ),
        ({"options": {"quantize": "bitsandbytes"}}, "tgi-endpoint:bitsandbytesDeprecated"),
        ({"hub_id": "google/flan-t5-xl"}, "tgi-endpoint:implicitLimits"),
    ],
)
def test_what_is_legal_but_risky_brings_a_warning(changes, id, warnings):
    assert warnings(**changes) == [id]


def test_bitsandbytes_is_what_there_is_before_eetq(warnings):
    assert warnings(version="1.0.3", instance=ROOMY, options={"quantize": "bitsandbytes"}) == []


def test_pinned_remote_code_is_fine(warnings):
    pinned = ModelChoice(source="hub", hub_id="Qwen/Qwen2.5-7B-Instruct", revision="0123abc")
    assert warnings(model=pinned, options=TgiOptions(trust_remote_code=True)) == []


@pytest.mark.parametrize(
    ("hub_id", "tokens"),
    [("google/flan-t5-xl", 512), ("bigscience/bloom-560m", 4096), ("facebook/galactica-6.7b", 2048)],
)
def test_implicit_limits_bring_a_warning_with_their_value(hub_id, tokens, planning):
    warnings = {warning.id: warning.message for warning in planning(hub_id=hub_id).warnings}
    assert f"from its warm-up prompt, {tokens} tokens here" in warnings["tgi-endpoint:implicitLimits"]


def test_implicit_limits_do_not_count_stretched_positions(planning):
    facts = replace(known_model("facebook/galactica-6.7b"), max_positions=8192, trained_positions=2048)
    plan = planning(model=ModelChoice(source="hub", hub_id=facts.hub_id, facts=facts))
    warnings = {warning.id: warning.message for warning in plan.warnings}
    assert "from its warm-up prompt, 2048 tokens here" in warnings["tgi-endpoint:implicitLimits"]


def test_weights_in_s3_of_a_model_matched_by_name_bring_a_warning(planning):
    from constructs_lib.planning.models.facts import known_model

    s3 = ModelChoice(source="s3", facts=known_model("bigcode/santacoder"))
    assert [warning.id for warning in planning(model=s3).warnings] == ["tgi-endpoint:matchedByName"]
