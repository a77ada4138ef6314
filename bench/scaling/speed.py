"""How fast a GPU generates: from the plan's memory figures, and the memory bandwidth and arithmetic of the GPU.

A step of continuous batching reads the weights and the keys and values of every running request once, and does two
operations per parameter for each token of the step. The slower of reading weights and arithmetic decides, reading the
cache comes on top, and so does a constant for what runs on the CPU.

The three efficiencies were fitted to one public measurement and reproduce it within a few percent (the test has the
figures): TGI 1.0.3 with Llama 2 7B on ml.g5.2xlarge at 5, 10 and 20 concurrent requests, in
philschmid/text-generation-inference-tests, results/sagemaker.csv.
"""

from __future__ import annotations

from dataclasses import dataclass

from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.memory_plan import MemoryPlan

# GB/s and dense float16 TFLOPS: NVIDIA's data sheets of each GPU. The A10G's are AWS's, for its slower variant of the
# A10 (EC2, page of the G5 instances: 600 GB/s; 70 TFLOPS in NVIDIA's data sheet of the A10G).
_GPUS: dict[str, tuple[float, float]] = {
    "T4": (320, 65),
    "A10G": (600, 70),
    "L4": (300, 121),
    "L40S": (864, 362),
    "A100-40GB": (1555, 312),
    "A100-80GB": (2039, 312),
    "H100-80GB": (3350, 989),
    "H200": (4800, 989),
}

_READ_EFFICIENCY = 0.8
_ARITHMETIC_EFFICIENCY = 0.55
_STEP_SECONDS = 0.003
_EXCHANGE_SECONDS = 0.006
"""What a step takes longer if GPUs share the model: assumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Seconds of one step of one copy of a model.

    Args:
        weights_seconds: Reading the weights once.
        token_seconds: Arithmetic of one token.
        cached_token_seconds: Reading the keys and values of one token.
        step_seconds: What each step takes beside.
    """

    weights_seconds: float
    token_seconds: float
    cached_token_seconds: float
    step_seconds: float

    @classmethod
    def of(cls, memory: MemoryPlan, instance: InstanceType, *, parameters: int, shards: int = 1) -> Speed:
        """The speed of a model by its plan.

        Args:
            memory: The memory of each GPU.
            instance: The instance type; its GPU must be one whose figures are known here.
            parameters: Parameters of the model that work on a token.
            shards: GPUs that share the model.
        """
        bandwidth, tflops = _GPUS[instance.accelerator]
        read = bandwidth * 1e9 * _READ_EFFICIENCY
        return cls(
            weights_seconds=memory.weights / read,
            token_seconds=2 * parameters / shards / (tflops * 1e12 * _ARITHMETIC_EFFICIENCY),
            cached_token_seconds=memory.kv_bytes_per_token / read,
            step_seconds=_STEP_SECONDS + (_EXCHANGE_SECONDS if shards > 1 else 0),
        )

    def step(self, tokens: float, cached: float) -> float:
        """Seconds of one step.

        Args:
            tokens: Tokens that it processes: one of each running request, and the prompts that it takes in.
            cached: Tokens whose keys and values it reads.
        """
        arithmetic = self.token_seconds * tokens
        weights = self.weights_seconds
        slower = arithmetic if arithmetic > weights else weights
        return self.step_seconds + slower + self.cached_token_seconds * cached
