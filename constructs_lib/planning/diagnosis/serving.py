"""Causes that logs name when an endpoint serves, but fails or is slow."""

from __future__ import annotations

from constructs_lib.planning.diagnosis.cause import Cause, Weight, patterns
from constructs_lib.planning.diagnosis.signals import Source

_LOG, _FUNCTION, _GATEWAY = frozenset((Source.LOG,)), frozenset((Source.FUNCTION,)), frozenset((Source.GATEWAY,))

SERVING: tuple[Cause, ...] = (
    Cause(
        id="out-of-memory-serving",
        title="The GPU memory ran out while it served: a batch was larger than any before",
        fix="Lower max_batch_prefill_tokens, then cuda_memory_fraction (TGI); max_num_batched_tokens, then"
        " gpu_memory_utilization (vLLM, LMI); chunked_prefill_size, then mem_fraction_static (SGLang). Or larger GPUs.",
        patterns=patterns(r"(?:CUDA|NRT)\s*(?:error: )?out of memory|OutOfMemoryError"),
        sources=_LOG,
        serving=True,
        runbook="operations.md#out-of-memory-after-hours",
    ),
    Cause(
        id="container-restarts",
        title="The engine's process died while it served",
        fix="Read the lines before this one; deploy any changed option, which starts new instances.",
        patterns=patterns(
            r"Shard terminated|EngineDeadError|Received sigquit|thread '\S+' panicked|died with exit code",
            r"CUDA error: (?!out of memory)",
        ),
        weight=Weight.FAILED,
        sources=_LOG,
        serving=True,
        runbook="operations.md#the-container-restarts-for-ever",
    ),
    Cause(
        id="overload",
        title="The container refuses requests because it is full",
        fix="Add an instance, or let it scale further: auto_scale(max_instances=…).on_concurrency().",
        patterns=patterns(
            r"Model is overloaded|The request queue is full|max_num_queued|queue is full"
            r"|ServiceUnavailable.{0,40}capacity"
        ),
        weight=Weight.FAILED,
        sources=_LOG,
        runbook="operations.md#429-and-overload",
        kinds=("overloaded",),
    ),
    Cause(
        id="request-too-long",
        title="Clients send prompts that are longer than the limits",
        fix="Raise max_input_tokens and max_total_tokens (TGI), max_model_len (vLLM, LMI) or context_length"
        " (SGLang), if the"
        " memory has room; or let clients shorten prompts.",
        patterns=patterns(
            r"`?inputs`? tokens \+ `?max_new_tokens`? must be <=|`?inputs`? must have less than \d+ tokens",
            r"maximum context length is \d+ tokens|is longer than the model's context length",
        ),
        weight=Weight.SUSPECTED,
        sources=_LOG,
        runbook="operations.md#424-and-modelerror",
    ),
    Cause(
        id="wrong-body",
        title="The container does not read the requests that it gets: they are of another engine's protocol",
        fix="Call the front door, which translates; or send what the engine reads: `inputs` for TGI, `messages` or"
        " `prompt`"
        " for vLLM, `messages` for SGLang.",
        patterns=patterns(
            r"Cannot find suitable handler for request|invalid payload\. must contain prompt, inputs, or messages",
            r"Failed to deserialize the JSON body",
        ),
        weight=Weight.FAILED,
        sources=_LOG,
        runbook="operations.md#424-and-modelerror",
    ),
    Cause(
        id="adapter-not-loaded",
        title="The container does not load adapters while it runs",
        fix="Set options.allow_runtime_lora_updating=True (vLLM); SGLang takes no adapter components.",
        patterns=patterns(r"/adapters\S*.{0,60}404|\"detail\": ?\"Not Found\""),
        weight=Weight.SUSPECTED,
        sources=_LOG,
        runbook="operations.md#424-and-modelerror",
    ),
    Cause(
        id="function-timeout",
        title="The front door's function exceeded its timeout",
        fix="Raise FrontDoor(timeout=…), or lower max_tokens.",
        patterns=patterns(r"Task timed out after"),
        weight=Weight.NAMED,
        sources=_FUNCTION,
        runbook="operations.md#the-function-fails",
    ),
    Cause(
        id="function-memory",
        title="The front door's function ran out of memory",
        fix="Raise FrontDoor(memory_size=…).",
        patterns=patterns(r"signal: killed|Runtime exited.{0,60}(?:137|killed)|Runtime\.OutOfMemory"),
        weight=Weight.NAMED,
        sources=_FUNCTION,
        runbook="operations.md#the-function-fails",
    ),
    Cause(
        id="function-crashed",
        title="The front door's function could not run",
        fix="Deploy again; if that does not help, report the line.",
        patterns=patterns(
            r"Runtime\.(?:ImportModuleError|HandlerNotFound|ExitError|UserCodeSyntaxError)|INIT_REPORT.*error"
        ),
        weight=Weight.NAMED,
        sources=_FUNCTION,
        runbook="operations.md#the-function-fails",
    ),
    Cause(
        id="gateway-permission",
        title="API Gateway may not invoke the front door's function",
        fix="Deploy again: the permission was removed.",
        patterns=patterns(r"Invalid permissions on Lambda function"),
        weight=Weight.NAMED,
        sources=_GATEWAY,
        runbook="operations.md#api-gateway-answers-5xx",
    ),
    Cause(
        id="gateway-response",
        title="API Gateway cannot read the answers of the function: the Region does not stream, or the code was"
        " changed",
        fix="Deploy again, or set FrontDoor(streaming=False).",
        patterns=patterns(r"Malformed Lambda proxy response|Malformed|response transfer mode.{0,60}not supported"),
        weight=Weight.FAILED,
        sources=_GATEWAY,
        runbook="operations.md#api-gateway-answers-5xx",
    ),
    Cause(
        id="gateway-throttled",
        title="API Gateway throttles clients: they send more requests than the front door or their key may",
        fix="Raise FrontDoor(rate_limit=…, burst_limit=…), or the limits of the key; clients wait as Retry-After says.",
        patterns=patterns(r"\"errorType\": ?\"(?:THROTTLED|QUOTA_EXCEEDED)\""),
        weight=Weight.FAILED,
        sources=_GATEWAY,
        runbook="operations.md#429-and-overload",
    ),
    Cause(
        id="gateway-timeout",
        title="API Gateway gave up waiting for the function",
        fix="Stream, raise FrontDoor(timeout=…), or lower max_tokens.",
        patterns=patterns(r"Execution failed due to a timeout error|Endpoint request timed out|\"?status\"?: ?\"?504"),
        weight=Weight.FAILED,
        sources=_GATEWAY,
        runbook="operations.md#time-outs-at-60-seconds",
    ),
    Cause(
        id="endpoint-gone",
        title="The front door calls an endpoint that is not there",
        fix="Deploy the endpoint's stack again, or give the front door the name of one that serves.",
        patterns=patterns(r"there is no endpoint \S+, which the stack lists"),
        sources=frozenset((Source.STATUS,)),
        runbook="operations.md#the-endpoint-failed-or-was-rolled-back",
        kinds=("endpoint_not_found",),
    ),
    Cause(
        id="front-door-permission",
        title="The front door's function may not call the endpoint",
        fix="Deploy again; look for a service control policy or a permissions boundary that denies"
        " sagemaker:InvokeEndpoint.",
        runbook="operations.md#server-errors",
        kinds=("permission",),
    ),
    Cause(
        id="front-door-defect",
        title="The front door has a defect",
        fix="Report it with the field `traceback` of the log line.",
        runbook="operations.md#server-errors",
        kinds=("internal",),
    ),
    Cause(
        id="no-capacity",
        title="The model has no copy: it went to zero and is being started, or AWS has no instance",
        fix="Wait for the wake, keep a copy at the hours of use (ScaleToZero.hours), or list further instance types.",
        weight=Weight.FAILED,
        runbook="operations.md#cold-wake",
        kinds=("no_capacity",),
    ),
    Cause(
        id="timeout",
        title="Answers take longer than SageMaker waits: 60 seconds, or 8 minutes of a stream",
        fix="Stream, lower max_tokens, or use faster GPUs; AsyncTgiEndpoint for what takes longer.",
        weight=Weight.FAILED,
        runbook="operations.md#time-outs-at-60-seconds",
        kinds=("timeout",),
    ),
    Cause(
        id="lambda-concurrency",
        title="Lambda throttles the front door: each open stream is one execution",
        fix="aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384"
        " --desired-value 3000; or raise reserved_concurrency.",
        weight=Weight.FAILED,
        runbook="operations.md#lambda-concurrency",
    ),
    Cause(
        id="container-fails",
        title="The container fails while it answers",
        fix="Read the container's log around that time.",
        weight=Weight.SUSPECTED,
        runbook="operations.md#424-and-modelerror",
        kinds=("upstream", "generation", "closed", "incomplete_generation", "not_ready", "unavailable", "healthcheck"),
    ),
    Cause(
        id="function-fails",
        title="The front door's function ended without an answer",
        fix="Read its log: it ran out of memory, exceeded its timeout, or crashed.",
        weight=Weight.SUSPECTED,
        runbook="operations.md#the-function-fails",
    ),
    Cause(
        id="waits-for-instances",
        title="It waits for instances or copies: they start, or AWS has none",
        fix="The scaling activities and the status say which; a start takes minutes. For scarce types list several:"
        " instance_type=[…].",
        weight=Weight.SUSPECTED,
        runbook="operations.md#insufficientinstancecapacity",
    ),
    Cause(
        id="slow-model",
        title="The model is slow although no requests wait: answers are long, or the GPUs are slow",
        fix="Lower max_tokens, shorten prompts, or use faster GPUs or more of them for one copy.",
        weight=Weight.SUSPECTED - 5,
        runbook="operations.md#slow-first-token",
    ),
    Cause(
        id="wrong-requests",
        title="The container refuses most requests as wrong",
        fix="Compare what clients send with what the engine reads; the front door translates and explains.",
        weight=Weight.SUSPECTED - 10,
        runbook="operations.md#424-and-modelerror",
    ),
    Cause(
        id="gateway-errors",
        title="API Gateway answers 5xx",
        fix="Its access log says why: integrationError, integrationStatus and errorMessage.",
        weight=Weight.SYMPTOM + 10,
        runbook="operations.md#api-gateway-answers-5xx",
    ),
    Cause(
        id="scaled-to-zero",
        title="The model has no copy: it went to zero because nobody asked",
        fix="A request wakes it, in about ten minutes: POST /models/<name>/wake; ScaleToZero.hours keeps a copy.",
        weight=Weight.SYMPTOM,
        runbook="operations.md#cold-wake",
    ),
)
