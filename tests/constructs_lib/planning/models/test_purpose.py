"""Models that write no text are refused with the reason."""

import json
from pathlib import Path

import pytest

from constructs_lib.planning.models.config_json import ConfigJsonError, facts_from_config
from constructs_lib.planning.models.purpose import purpose_problem

CONFIGS = json.loads(Path(__file__).with_name("configs.json").read_text())
ENCODER = (
    "is of an encoder, which makes embeddings or classifies text. Use a model that generates text. This one is for"
    " SageMaker's image of Text Embeddings Inference (huggingface-tei)."
)
TOOLKIT = "Use a model that generates text. This one is for SageMaker's image huggingface-pytorch-inference."


@pytest.mark.parametrize(
    ("model_type", "architectures", "words"),
    [
        ("bert", ["BertForMaskedLM"], f"architectures='BertForMaskedLM': {ENCODER}"),
        ("bert", ["BertModel"], f"model_type='bert': {ENCODER}"),
        ("xlm-roberta", None, f"model_type='xlm-roberta': {ENCODER}"),
        ("modernbert", [], f"model_type='modernbert': {ENCODER}"),
        ("mistral", ["MistralModel"], f"architectures='MistralModel': {ENCODER}"),
        ("t5", ["T5EncoderModel"], f"architectures='T5EncoderModel': {ENCODER}"),
        (
            "llama",
            ["LlamaForSequenceClassification"],
            f"architectures='LlamaForSequenceClassification': {ENCODER}",
        ),
        (
            "whisper",
            ["WhisperForConditionalGeneration"],
            f"model_type='whisper': is of a model that works on sound. {TOOLKIT}",
        ),
        ("wav2vec2", ["Wav2Vec2ForCTC"], f"model_type='wav2vec2': is of a model that works on sound. {TOOLKIT}"),
        ("vit", None, f"model_type='vit': is of a model that works on images and writes no text. {TOOLKIT}"),
        ("clip", ["CLIPModel"], f"model_type='clip': is of a model that works on images and writes no text. {TOOLKIT}"),
    ],
)
def test_a_model_that_writes_no_text_is_refused(model_type, architectures, words):
    config = {"model_type": model_type, "architectures": architectures}
    with pytest.raises(ConfigJsonError) as caught:
        facts_from_config("me/model", config)
    assert [str(problem) for problem in caught.value.problems] == [words]


@pytest.mark.parametrize(
    ("model_type", "architectures", "auto_map"),
    [
        ("llama", ["LlamaForCausalLM"], None),
        ("gpt2", ["GPT2LMHeadModel"], None),
        ("t5", ["T5ForConditionalGeneration"], None),
        ("mllama", ["MllamaForConditionalGeneration"], None),
        ("bert", ["BertLMHeadModel"], None),
        ("bart", ["BartForConditionalGeneration"], None),
        ("chatglm", ["ChatGLMModel"], {"AutoModelForCausalLM": "modeling_chatglm.ChatGLMForConditionalGeneration"}),
        ("internvl_chat", ["InternVLChatModel"], None),
        ("falcon", None, None),
        ("brand_new", ["BrandNewThing"], None),
    ],
)
def test_a_model_that_may_write_text_is_not(model_type, architectures, auto_map):
    assert purpose_problem({"model_type": model_type, "architectures": architectures, "auto_map": auto_map}) is None


@pytest.mark.parametrize("hub_id", CONFIGS)
def test_no_model_of_the_catalogue_is(hub_id):
    assert purpose_problem(CONFIGS[hub_id]) is None
