"""vLLM's rules between options, model, image and instance."""

import json
from dataclasses import replace

import pytest

from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.engines.vllm.images import HUGGING_FACE
from constructs_lib.planning.engines.vllm.options import VllmOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.validation.unknown import Unknown
from tests.constructs_lib.planning.engines.vllm.requests import FROM_S3, planned, refusals

FOUR_GPUS = {"instance": InstanceType.G6E_12XLARGE}
OF_HUGGING_FACE = {"image": ImageChoice(version="0.25.1", family=HUGGING_FACE)}


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        (
            {"tensor_parallel_size": 3, "changes": FOUR_GPUS},
            [
                (
                    "options.tensor_parallel_size=3: meta-llama/Llama-3.1-8B-Instruct has 32 attention heads, which"
                    " cannot be split evenly over 3 GPUs of ml.g6e.12xlarge; possible here: 1 or 2 or 4. Set"
                    " options.tensor_parallel_size to 1 or 2 or 4, or use an instance with that many GPUs."
                )
            ],
        ),
        (
            {"tensor_parallel_size": 2},
            ["options.tensor_parallel_size=2: ml.g6e.xlarge has 1 GPU. Lower it to 1 or less."],
        ),
        (
            {"max_num_queued_reqs": 10, "version": "0.28.0"},
            [
                (
                    "options.max_num_queued_reqs=10: vLLM 0.28.0 does not have it; it was added in 0.29.0. Leave it"
                    " out, or change image."
                )
            ],
        ),
        (
            {"quantization": "bitsandbytes"},
            [
                (
                    "options.quantization='bitsandbytes': vLLM 0.30.0 does not have it; the last version that does is"
                    " 0.27.1. Choose another one, or another image."
                )
            ],
        ),
        (
            {"quantization": "fp8_per_channel", "version": "0.23.0"},
            [
                (
                    "options.quantization='fp8_per_channel': vLLM 0.23.0 does not have it; it was added in 0.24.0."
                    " Choose another one, or another image."
                )
            ],
        ),
        (
            {"tool_call_parser": "lama3_json"},
            ["options.tool_call_parser='lama3_json': vLLM 0.30.0 does not have it. Did you mean 'llama3_json'?"],
        ),
        (
            {"reasoning_parser": "qwen_3"},
            ["options.reasoning_parser='qwen_3': vLLM 0.30.0 does not have it. Did you mean 'qwen3'?"],
        ),
        (
            {"enable_auto_tool_choice": True},
            [
                (
                    "options.enable_auto_tool_choice=True: needs tool_call_parser, without which vLLM does not start."
                    " Say how the model writes tool calls."
                )
            ],
        ),
        (
            {"enable_log_outputs": True},
            [
                (
                    "options.enable_log_outputs=True: needs enable_log_requests=True, without which vLLM does not"
                    " start. Leave it out: answers do not belong in a log."
                )
            ],
        ),
        (
            {"chat_template": "{{ a }}\n{{ b }}", "version": "0.27.1"},
            [
                (
                    "options.chat_template='{{ a }}\\n{{ b }}': has several lines, of which the entrypoint of this"
                    " image reads the first. Write it in one line, or store it in a file beside the weights and give"
                    " its path."
                )
            ],
        ),
        (
            {"lora_modules": ["a=/a", "b=/b"], "version": "0.27.1"},
            [
                (
                    "options.lora_modules=['a=/a', 'b=/b']: are several values, of which the entrypoint of this image"
                    " makes one argument. Give one, or choose a newer image."
                )
            ],
        ),
        (
            {"extra_args": {"allowed_media_domains": '["a.com","b.com"]'}, "version": "0.27.1"},
            [
                (
                    "options.extra_args['allowed_media_domains']=['a.com', 'b.com']: are several values, of which the"
                    " entrypoint of this image makes one argument. Give one, or choose a newer image."
                )
            ],
        ),
        (
            {"extra_args": {"use_tqdm_on_load": "false"}},
            [
                (
                    "options.extra_args['use_tqdm_on_load']='false': is nothing to the entrypoint of the image, which"
                    " then leaves the argument out. Write 'no_use_tqdm_on_load': 'true' if it is a flag that is on by"
                    " default, else leave it out."
                )
            ],
        ),
        (
            {"extra_args": {"max_model_len": "1"}},
            [
                (
                    "options.extra_args['max_model_len']='1': is set by options.max_model_len. Use"
                    " options.max_model_len instead."
                )
            ],
        ),
        (
            {"extra_args": {"no_enforce_eager": "true"}},
            [
                (
                    "options.extra_args['no_enforce_eager']='true': is set by options.enforce_eager. Use"
                    " options.enforce_eager instead."
                )
            ],
        ),
        (
            {"extra_args": {"swap_space": "4"}},
            [
                (
                    "options.extra_args['swap_space']='4': vLLM 0.30.0 has no such argument, so that it would stop at"
                    " once. Leave it out, or use an image of a version that has it."
                )
            ],
        ),
        (
            {"extra_args": {"ssl_keyfile": "/k"}},
            [
                (
                    "options.extra_args['ssl_keyfile']='/k': makes vLLM speak TLS, but SageMaker calls the container"
                    " without: it would never become healthy. Leave it out."
                )
            ],
        ),
        (
            {"process_auto_recovery": True, "version": "0.20.0"},
            [
                (
                    "options.process_auto_recovery=True: images of vLLM 0.20.0 have no supervisor; the first that has"
                    " is 0.20.1. Leave it out, or choose a newer image."
                )
            ],
        ),
        (
            {"process_auto_recovery": True, "chat_template": "{% raw %}"},
            [
                (
                    "options.chat_template='{% raw %}': has a percent sign, with which the supervisor of"
                    " process_auto_recovery does not start. Leave process_auto_recovery out, so that no supervisor is"
                    " between."
                )
            ],
        ),
        (
            {"process_auto_recovery": True, "hf_overrides": {"a": 1}, "version": "0.23.0"},
            [
                (
                    "options.hf_overrides={'a': 1}: has blanks or quotes, which the supervisor of process_auto_recovery"
                    " loses in images of vLLM 0.23.0. Leave process_auto_recovery out, so that no supervisor is"
                    " between."
                )
            ],
        ),
        (
            {"max_model_len": 200_000, "changes": {"instance": InstanceType.P5_48XLARGE}},
            [
                (
                    "options.max_model_len=200000: is more than the 131072 tokens of meta-llama/Llama-3.1-8B-Instruct,"
                    " for which vLLM does not start. Lower it to 131072, or stretch the model's positions with"
                    " hf_overrides."
                )
            ],
        ),
        (
            {"max_num_batched_tokens": 32, "max_num_seqs": 64},
            [
                (
                    "options.max_num_batched_tokens=32: must be at least max_num_seqs=64, for each of which a step has"
                    " a token. Raise it, or lower max_num_seqs."
                )
            ],
        ),
        (
            {"max_num_batched_tokens": 4096, "max_model_len": 8192, "enable_chunked_prefill": False},
            [
                (
                    "options.max_num_batched_tokens=4096: must be at least max_model_len=8192, as"
                    " enable_chunked_prefill=False leaves prompts whole. Raise it, or let prompts be split."
                )
            ],
        ),
        (
            {"data_parallel_size": 2, "changes": FOUR_GPUS},
            [
                (
                    "options.data_parallel_size=2: needs tensor_parallel_size: by default every GPU of the instance"
                    " shares one copy. Give the GPUs of each copy."
                )
            ],
        ),
        (
            {"data_parallel_size": 4, "tensor_parallel_size": 2, "changes": FOUR_GPUS},
            [
                (
                    "options.data_parallel_size=4: needs 8 GPUs, but ml.g6e.12xlarge has 4. Lower it, or"
                    " tensor_parallel_size."
                )
            ],
        ),
        (
            {"max_lora_rank": 24},
            [
                "options.max_lora_rank=24: must be one of 1, 8, 16, 32, 64, 128, 256, 320, 512. Write 32.",
            ],
        ),
        (
            {"max_cpu_loras": 2, "max_loras": 4},
            ["options.max_cpu_loras=2: must be at least max_loras=4. Raise it, or leave it out."],
        ),
        (
            {"enable_lora": False, "lora_modules": ["a=/a"]},
            ["options.enable_lora=False: contradicts lora_modules. Leave it out."],
        ),
        (
            {"lora_modules": ["a=owner/a"], "changes": {"model": FROM_S3}},
            [
                (
                    "options.lora_modules='a=owner/a': is downloaded from the hub, but weights come from S3 with"
                    " HF_HUB_OFFLINE=1. Put it beside the weights, and write its path, /opt/ml/model/…."
                )
            ],
        ),
        (
            {"speculative_config": {"model": "owner/draft"}, "changes": {"model": FROM_S3}},
            [
                (
                    "options.speculative_config={'model': 'owner/draft'}: its model, owner/draft, is downloaded from"
                    " the hub, but weights come from S3 with HF_HUB_OFFLINE=1. Put it beside the weights, and write its"
                    " path, /opt/ml/model/…."
                )
            ],
        ),
        (
            {"usage_stats": Unknown("<u>"), "allow_runtime_lora_updating": Unknown("<a>"), "lmcache": Unknown("<l>")},
            [
                f"options.{name}=(known at deployment): must be known at synth, as it decides which variables the"
                " container has. Write True or False."
                for name in ("usage_stats", "allow_runtime_lora_updating", "lmcache")
            ],
        ),
        (
            {"max_num_batched_tokens": 4096, "enable_chunked_prefill": False},
            [
                (
                    "options.max_num_batched_tokens=4096: may be less than the longest request, up to 131072 tokens by"
                    " the model, and enable_chunked_prefill=False leaves prompts whole. Set max_model_len to 4096 or"
                    " less, raise it, or let prompts be split."
                )
            ],
        ),
        (
            {"lmcache": True},
            [
                (
                    "options.lmcache=True: is what Hugging Face's image sets up; this one does not read it. Use"
                    " VllmImage.hugging_face, or kv_transfer_config."
                )
            ],
        ),
        (
            {"lmcache": True, "kv_transfer_config": {"kv_connector": "x"}, "changes": OF_HUGGING_FACE},
            [
                (
                    "options.lmcache=True: is a connector, and kv_transfer_config is another; vLLM takes one. Leave out"
                    " one of the two."
                )
            ],
        ),
        (
            {"lmcache": True, "process_auto_recovery": True, "changes": OF_HUGGING_FACE},
            [
                (
                    "options.lmcache=True: does not start under the supervisor of Hugging Face's image 0.25.1. Leave"
                    " process_auto_recovery out, or choose a newer image."
                )
            ],
        ),
    ],
)
def test_what_would_not_start_is_refused(changes, problems):
    assert refusals(**changes) == problems


@pytest.mark.parametrize(
    "changes",
    [
        {"tensor_parallel_size": 2, "changes": FOUR_GPUS},
        {"tensor_parallel_size": 2, "data_parallel_size": 2, "changes": FOUR_GPUS},
        {"quantization": "bitsandbytes", "version": "0.27.1"},
        {"tool_call_parser": "mine", "tool_parser_plugin": "/opt/ml/model/parser.py"},
        {"reasoning_parser": "mine", "extra_args": {"reasoning_parser_plugin": "/opt/ml/model/parser.py"}},
        {"chat_template": "{{ a }}\n{{ b }}"},
        {"chat_template": "{% raw %}", "version": "0.23.0"},
        {"hf_overrides": {"a": 1}, "version": "0.23.0"},
        {"process_auto_recovery": True, "hf_overrides": {"a": 1}, "version": "0.24.0"},
        {"lora_modules": ["a=/a", "b=/b"]},
        {"lora_modules": ["a=/a"], "version": "0.27.1"},
        {"extra_args": {"allowed_media_domains": '["a.com","b.com"]'}},
        {"max_model_len": 200_000, "hf_overrides": {"a": 1}, "changes": {"instance": InstanceType.P5_48XLARGE}},
        {"max_num_batched_tokens": 32, "max_num_seqs": 32, "max_model_len": 8192},
        {"lora_modules": ["a=/opt/ml/model/a"], "changes": {"model": FROM_S3}},
        {"speculative_config": {"method": "ngram"}, "changes": {"model": FROM_S3}},
        {"lmcache": True, "changes": OF_HUGGING_FACE},
        {
            "lmcache": True,
            "process_auto_recovery": True,
            "changes": {"image": replace(OF_HUGGING_FACE["image"], version="0.26.0")},
        },
    ],
)
def test_what_starts_is_planned(changes):
    assert refusals(**changes) == []


def test_an_unknown_value_is_named_with_the_member_that_is_meant():
    assert refusals(dtype="bf16", kv_cache_dtype="fp8_e4m3fn") == [
        (
            "options.kv_cache_dtype='fp8_e4m3fn': must be one of bfloat16, fp8, fp8_e4m3, fp8_e5m2. Did you mean"
            " VllmKvCacheDtype.FP8_E4M3?"
        ),
        "options.dtype='bf16': must be one of float16, bfloat16, float32. Did you mean VllmDtype.BFLOAT16?",
    ]


def test_json_that_cannot_be_written_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant") as reason:  # Python 3.12 and later also name the value
        json.dumps(float("nan"), allow_nan=False)
    assert refusals(hf_overrides={"a": float("nan")}) == [
        (
            f"options.hf_overrides={{'a': nan}}: cannot be written as JSON ({reason.value}). Use texts, numbers, True,"
            " False, None, lists and dicts only."
        )
    ]
    assert refusals(hf_overrides="{}") == [
        "options.hf_overrides='{}': must be a mapping, not str. Write {\"name\": …}."
    ]


def test_options_of_another_engine_are_refused():
    assert refusals(changes={"options": {"max_model_len": 1}}) == [
        "options={'max_model_len': 1}: must be VllmOptions, not dict. Write VllmOptions(…)."
    ]
    assert refusals(changes={"options": TgiOptions(max_total_tokens=8192, max_input_tokens=4096)}) == [
        (
            "options=TgiOptions(max_input_tokens=4096, max_total_tokens=8192): must be VllmOptions, not TgiOptions."
            " Write VllmOptions(…)."
        )
    ]
    assert planned(changes={"options": VllmOptions()}).problems == ()
