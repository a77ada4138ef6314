"""Causes that the log of a container names when it does not start.

Sources: TGI 0.6.0 to 3.3.6 (launcher/src/main.rs, server/text_generation_server), vLLM 0.6 to 0.30 (config, worker,
v1/core/kv_cache_utils.py), SGLang 0.5 (srt/model_executor), DJL Serving, optimum-neuron 0.3.0, huggingface_hub; and the
reports in tests/field/cases.
"""

from __future__ import annotations

from constructs_lib.planning.diagnosis.cause import Cause, Weight, patterns
from constructs_lib.planning.diagnosis.signals import Source

_LOG = frozenset((Source.LOG,))

STARTING: tuple[Cause, ...] = (
    Cause(
        id="hub-token",
        title="The hub does not let the container download the model: no token, a wrong one, or no access to a gated"
        " model",
        fix="Accept the licence on the model's page with the account of the token, and pass it: Model.from_hub(…,"
        " token=secret)."
        " The secret's whole value must be the token. After changing a secret, deploy a changed option: the Model has"
        " the value of the time it was created.",
        patterns=patterns(
            r"GatedRepoError|gated repo|not in the authorized list|must have access to it and be authenticated",
            r"(?:401|403) (?:Client Error|Unauthorized|Forbidden).{0,120}(?:huggingface|hf\.co)",
            r"Invalid (?:credentials in Authorization header|user token|username or password)",
            r"Access to model \S+ is restricted",
        ),
        starting=True,
    ),
    Cause(
        id="hub-repository",
        title="The hub does not have that repository, revision or file",
        fix="Check the hub id and the revision (a private repository needs token=). `tgi-endpoint models pin <hub id>`"
        " finds the commit. An adapter in a folder is written name=/opt/ml/model/….",
        patterns=patterns(
            r"RepositoryNotFoundError|RevisionNotFoundError|EntryNotFoundError",
            r"404 Client Error.{0,120}(?:huggingface|hf\.co)",
            r"is not a local folder and is not a valid model identifier",
            r"is not a valid git identifier",
        ),
        starting=True,
    ),
    Cause(
        id="hub-rate",
        title="The hub refuses downloads because of too many requests from this address",
        fix="Pass a token, which has a limit of its own, or copy the weights once: Model.staged(…).",
        patterns=patterns(r"429 Client Error.{0,120}(?:huggingface|hf\.co)|We had to rate limit"),
        starting=True,
    ),
    Cause(
        id="no-route",
        title="The container does not reach the hub: its subnets have no way to the internet",
        fix="Use private subnets whose route leads to a NAT gateway, or copy the weights to S3: Model.staged(…).",
        patterns=patterns(
            r"Max retries exceeded with url.{0,160}(?:huggingface|hf\.co)",
            r"(?:huggingface|hf\.co).{0,160}(?:Max retries exceeded|ConnectTimeout|Network is unreachable)",
            r"Temporary failure in name resolution|Name or service not known|Network is unreachable",
            r"couldn'?t connect to ['\"]?https://huggingface",
            r"LocalEntryNotFoundError|Cannot find an appropriate cached snapshot folder",
        ),
        starting=True,
    ),
    Cause(
        id="isolated-hub",
        title="The container is offline, and the weights are not in it",
        fix="Copy the weights to S3: Model.staged(…) or Model.from_s3(…).",
        patterns=patterns(r"OfflineModeIsEnabled|outgoing traffic has been disabled|HF_HUB_OFFLINE=1.{0,80}not"),
        starting=True,
    ),
    Cause(
        id="image-too-old",
        title="The image is too old for the model, or its engine does not run such models",
        fix="Leave image out for the newest version, or use another engine: `tgi-endpoint plan --model <id> --instance"
        " <type> --engine vllm`.",
        patterns=patterns(
            r"sharded is not supported for AutoModel",
            r"Unsupported model type \S+",
            r"does not recognize this architecture|model architectures? \[?.{0,80}(?:are|is) not supported",
            r"Transformers does not recognize|KeyError: '(?:[a-z0-9]+_)?(?:qwen|gemma|llama|phi|mistral|deepseek|glm"
            r"|gpt|falcon)\w*'",
            r"`?rope_scaling`?'?s? (?:must be|dictionary|type field)|unknown rope",
            r"weight (?:gptq_bits|gptq_groupsize|lm_head\.weight|\S*) does not exist",
            r"untagged enum ModelWrapper|Tokenizer class \S+ does not exist",
            r"size mismatch for|shape mismatch|The size of tensor a|mat1 and mat2 shapes cannot be multiplied",
            r"TypeError: 'NoneType' object is not iterable",
        ),
        weight=Weight.NAMED - 5,
        starting=True,
        runbook="operations.md#the-image-is-too-old-for-the-model",
    ),
    Cause(
        id="published-compression",
        title="The engine cannot load weights that were compressed this way before they were published",
        fix="Use the repository with the original weights, and let the engine compress them: options.quantize (TGI),"
        " options.quantization (vLLM).",
        patterns=patterns(
            r"(?:Blockwise|bitsandbytes).{0,80}(?:not supported|only supports)|bnb-4bit.{0,120}(?:not|error)",
            r"quantization method .{0,40} (?:is )?not supported|Unknown quantization method",
            r"weight \S*(?:absmax|quant_state|nested)\S* does not exist",
        ),
        starting=True,
        runbook="operations.md#the-image-is-too-old-for-the-model",
    ),
    Cause(
        id="remote-code",
        title="The model needs the code of its repository, which may not run",
        fix="Set options.trust_remote_code=True after reading that code, and pin the revision.",
        patterns=patterns(
            # Engines log their arguments, so the name alone says nothing.
            r"`trust_remote_code ?= ?True`|requires you to execute|contains custom code which must be executed"
        ),
        starting=True,
    ),
    Cause(
        id="gpu-too-old",
        title="The GPUs are too old for what the engine runs on them",
        fix="Use an instance type with newer GPUs (ml.g5, ml.g6 or newer), or dtype float16 on a T4.",
        patterns=patterns(
            r"FlashAttention only supports Ampere|only supports? Ampere",
            r"Bfloat16 is only supported on GPUs with compute capability|does not support bfloat16",
            r"no kernel image is available for execution",
            r"Minimum capability: ?\d+\. Current capability: ?\d+",
            r"requires.{0,30}compute capability|not supported for the current GPU",
            r"sliding window.{0,80}(?:not supported|flash)",
        ),
        starting=True,
    ),
    Cause(
        id="driver",
        title="The host's driver does not fit the image's CUDA version",
        fix="Leave inference_ami_version out: the plan chooses the machine image that the CUDA version needs.",
        patterns=patterns(
            r"NVIDIA driver on your system is too old|CUDA driver version is insufficient",
            r"unsatisfied condition: cuda|forward compatibility was attempted on non supported",
            r"system has unsupported display driver|Error 80[234]:",
        ),
        starting=True,
    ),
    Cause(
        id="context-over-cache",
        title="The longest request does not fit into what is left of the GPU memory for the KV cache",
        fix="Lower max_model_len (vLLM, LMI), context_length (SGLang) or max_total_tokens (TGI), raise"
        " gpu_memory_utilization, or use larger GPUs.",
        patterns=patterns(
            r"max seq len \(?\d+\)? is larger than the maximum number of tokens that can be stored in KV cache",
            r"To serve at least one request with the model",
            r"max_num_seqs \(\d+\) exceeds available Mamba cache blocks",
            r"estimated maximum model length is \d+",
            r"larger than the available KV cache memory",
        ),
        weight=Weight.NAMED + 2,
        starting=True,
    ),
    Cause(
        id="out-of-memory",
        title="The model does not fit into the GPU memory",
        fix="Use larger GPUs or more of them, or lower max_batch_prefill_tokens or max_total_tokens (TGI),"
        " max_model_len or"
        " max_num_seqs (vLLM), max_rolling_batch_size (LMI), mem_fraction_static (SGLang). `tgi-endpoint plan --model"
        " <id>` lists what fits.",
        patterns=patterns(
            r"(?:CUDA|HIP|NRT)\s*(?:error: )?out of memory|OutOfMemoryError|Tried to allocate \S+ [MG]iB",
            r"Not enough memory to handle \d+ prefill tokens",
            r"Not enough memory\. Please try to increase --mem-fraction-static",
            r"Free memory on device .{0,80}less than desired GPU memory utilization",
            r"No available memory for the cache blocks",
            r"CUBLAS_STATUS_ALLOC_FAILED",
        ),
        weight=Weight.NAMED,
        starting=True,
    ),
    Cause(
        id="host-memory",
        title="The memory of the instance (not of its GPUs) ran out while the weights were loaded",
        fix="Use an instance type with more memory per GPU, such as ml.g6e.4xlarge in place of ml.g6e.xlarge.",
        patterns=patterns(
            r"\bsignal[:=]? ?9\b|SIGKILL|exit code:? -?(?:9|137)\b|Killed\b|\bMemoryError\b|oom-?kill",
            r"Cannot allocate memory|DefaultCPUAllocator: can't allocate memory",
        ),
        weight=Weight.FAILED,
        runbook="operations.md#host-memory",
    ),
    Cause(
        id="disk",
        title="The disk of the instance is full",
        fix="Raise volume_size (up to 512 GiB). Types with NVMe storage, such as ml.g5, take none: use a larger one.",
        patterns=patterns(r"No space left on device|Errno 28|disk (?:is )?full"),
        runbook="operations.md#disk-full",
    ),
    Cause(
        id="shards",
        title="The model cannot be split over that many GPUs",
        fix="Set options.num_shard (TGI), tensor_parallel_size (vLLM), tp_size (SGLang) to a number that divides the"
        " attention"
        " heads and is at most the GPUs of the instance.",
        patterns=patterns(
            r"not compatible with sharding on \d+ shards",
            r"must be divisible by (?:`?num_shards?`?|tensor parallel)|not divisible by.{0,40}(?:shards?|world|tp"
            r"|tensor)",
            r"`sharded` is true but only found \d+ CUDA devices|NotEnoughCUDADevices",
            r"num_shard.{0,60}(?:greater|larger|CUDA devices)",
            r"required GPUs exceeds the total number of available GPUs|World size .{0,60}larger than.{0,40}GPUs",
            r"invalid device ordinal",
        ),
        starting=True,
    ),
    Cause(
        id="option-rejected",
        title="The engine rejects an option or a variable",
        fix="Change the option that the line names; the constructs check it at synth if it is written in options.",
        patterns=patterns(
            r"ArgumentValidation\(.{0,200}",
            r"`?max_input_(?:tokens|length)`? must be|`?max_batch_\w+`? must be",
            r"error: (?:invalid value|unexpected argument|unrecognized arguments|argument )\S*",
            r"the following required arguments were not provided",
            r"User-specified max_model_len \(\d+\) is greater than the derived",
            r"ConfigurationError.{0,80}LOG_LEVEL|Invalid log level",
            r"cannot be (?:used|combined|specified) (?:together )?(?:with|at the same time)|mutually exclusive",
            r"CUDA error: device-side assert triggered|index out of bounds.{0,40}positions",
        ),
        weight=Weight.NAMED - 2,
        starting=True,
    ),
    Cause(
        id="weights-missing",
        title="The container finds no weights, or not in the form that it reads",
        fix="Give a folder with config.json and *.safetensors: Model.from_s3(…); a .tar.gz with them is"
        " Model.from_s3_archive(…). An adapter alone has to be merged, or loaded beside its base model.",
        patterns=patterns(
            r"No (?:local )?weights found|No safetensors|weights not found for model",
            r"does not appear to have (?:a file named|files? named)|No such file or directory: '/opt/ml/model",
            r"HF_MODEL_ID must be set|Cannot find any model weights",
            r"Error no file named .{0,80} found in directory",
        ),
        starting=True,
    ),
    Cause(
        id="neuron-cache",
        title="The hub's cache has no model compiled for these sizes and this image",
        fix="Use the sizes of a cached configuration (`optimum-cli neuron cache lookup <model>`), or export the"
        " model to S3.",
        patterns=patterns(r"No compatible neuron config|No cached version found|no compatible.{0,40}neuron"),
        starting=True,
    ),
    Cause(
        id="ready-timeout",
        title="The engine gave up before the weights were loaded",
        fix="Raise startup_timeout; the constructs pass it to the engine as well. Weights in S3 load faster than"
        " from the hub.",
        patterns=patterns(
            r"Timed out waiting for engine core|did not (?:become ready|start) (?:with)?in \d+",
            r"model.{0,30}loading (?:timed out|timeout)|Worker.{0,40}timed? ?out.{0,40}load",
            r"watchdog timeout|Watchdog caught collective operation timeout",
        ),
        weight=Weight.FAILED,
        starting=True,
    ),
    Cause(
        id="requirements",
        title="The container could not install what a requirements.txt beside the weights asks for",
        fix="Leave requirements.txt out of the folder, or set STANDARD_AUTO_INSTALL_REQ=false.",
        patterns=patterns(r"Could not find a version that satisfies the requirement|No matching distribution found"),
        weight=Weight.FAILED,
        starting=True,
    ),
    Cause(
        id="engine-crashed",
        title="The engine's process failed when it started",
        fix="Read the lines before this one in the container's log; run `tgi-endpoint plan` for the model and"
        " instance type.",
        patterns=patterns(
            r"ShardCannotStart|Shard \d+ failed to start|Shard complete standard error",
            r"Engine core initialization failed|EngineDeadError|WorkerProc initialization failed",
            r"Received sigquit from a child process",
            r"DownloadError|Download encountered an error",
            r"WebserverFailed|thread '\S+' panicked",
            r"Failed (?:to )?(?:start|load).{0,40}(?:worker|model)",
        ),
        weight=Weight.SYMPTOM + 10,
        sources=_LOG,
        runbook="operations.md#the-container-restarts-for-ever",
    ),
    Cause(
        id="plan-problem",
        title="By its plan, what is deployed has a mistake",
        fix="Correct it in the construct.",
        weight=Weight.PLANNED,
    ),
    Cause(
        id="not-known",
        title="The endpoint failed for a reason that is not known here",
        fix="Read the container's log, and the stack's events.",
        weight=Weight.SYMPTOM,
        runbook="operations.md#the-endpoint-failed-or-was-rolled-back",
    ),
)
