"""The table of options. Those of the launcher are TGI's own rows, by the version of TGI in the image."""

from __future__ import annotations

from dataclasses import fields

from constructs_lib.planning.engine import OptionValues
from constructs_lib.planning.engines.option_table import EngineOption, read_options
from constructs_lib.planning.engines.tgi.launcher_options import OPTIONS as TGI_OPTIONS
from constructs_lib.planning.engines.tgi_neuron.options import AutoCastType, NeuronOptions
from constructs_lib.planning.engines.tgi_neuron.versions import OLDEST_SUPPORTED, READS_CONFIGURATION, contents_of
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.validation.rules import Integer, OneOf

_OTHER_TYPES = {
    "float16": AutoCastType.FP16,
    "half": AutoCastType.FP16,
    "f16": AutoCastType.FP16,
    "torch.float16": AutoCastType.FP16,
    "bfloat16": AutoCastType.BF16,
    "torch.bfloat16": AutoCastType.BF16,
}

SHAPE = ("num_cores", "auto_cast_type", "max_batch_size", "max_total_tokens")
"""What a model is compiled for, which is given as a whole or not at all."""

_OWN = (
    EngineOption("num_cores", Integer(1), variable="HF_NUM_CORES"),
    EngineOption("auto_cast_type", OneOf(AutoCastType, _OTHER_TYPES), variable="HF_AUTO_CAST_TYPE"),
)
_KEYWORDS = [one.name for one in fields(NeuronOptions)]

OPTIONS = (*_OWN, *(option for option in TGI_OPTIONS if option.keyword in _KEYWORDS))


def read_neuron_options(options: NeuronOptions, version: Version) -> OptionValues:
    """Check options one by one (see `Engine.read_options`).

    Args:
        options: The options.
        version: Version of the image.
    """
    found = read_options(OPTIONS, options, contents_of(max(version, OLDEST_SUPPORTED)).tgi, "TGI")
    if version < READS_CONFIGURATION or any(getattr(options, keyword) is not None for keyword in SHAPE):
        return found
    return OptionValues(values=found.values, problems=found.problems, left_open=frozenset(SHAPE))
