"""Which formats of weights run on which GPU."""

from dataclasses import replace

import pytest

from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice, known_model

T4, A10G = InstanceType.G4DN_XLARGE, InstanceType.G5_XLARGE


@pytest.mark.parametrize(
    ("kind", "bits", "version", "instance", "kernels"),
    [
        ("gptq", 3, "3.3.6", A10G, "2, 4, 8"),
        ("gptq", 3, "1.3.3", A10G, "2, 4, 8"),
        ("gptq", 2, "3.3.6", A10G, None),
        ("gptq", 8, "1.1.0", T4, None),
        ("awq", 4, "1.1.0", T4, None),
        ("awq", 8, "2.0.2", A10G, "4"),
        ("awq", 8, "3.3.6", T4, "4"),
        ("awq", 8, "3.3.6", A10G, None),
        ("awq", 3, "3.3.6", A10G, "4, 8"),
        ("awq", None, "3.3.6", A10G, None),
        ("compressed-tensors", 4, "3.3.6", A10G, None),
        ("compressed-tensors", 2, "3.3.6", A10G, "4, 8"),
    ],
)
def test_weights_need_bits_that_a_kernel_takes(refusals, kind, bits, version, instance, kernels):
    phi = known_model("microsoft/Phi-3-mini-4k-instruct")
    facts = replace(phi, hub_id="me/phi", model_type="llama", sliding_window=None, quantization=kind, bits=bits)
    model = ModelChoice(source="hub", hub_id="me/phi", facts=facts)
    found = refusals(model=model, version=version, instance=instance, options={"quantize": kind})
    words = (
        f"model='me/phi': its {kind} weights have {bits} bits, but TGI has kernels for {kernels} bits only. Choose a"
        f" repository, or a revision, with weights of {kernels} bits."
    )
    assert [one for one in found if "bits" in one] == ([words] if kernels else [])


@pytest.mark.parametrize("kind", ["mxfp4", "nvfp4"])
def test_formats_of_other_engines_are_refused(refusals, kind):
    facts = replace(known_model("Qwen/Qwen2.5-7B-Instruct"), hub_id="me/mine", quantization=kind)
    words = (
        f"model='me/mine': its weights are published in {kind}, which TGI does not read. Use a repository with the same"
        " weights in bfloat16, if TGI runs the architecture, or another engine."
    )
    assert refusals(model=ModelChoice(source="hub", hub_id="me/mine", facts=facts), instance=A10G) == [words]
