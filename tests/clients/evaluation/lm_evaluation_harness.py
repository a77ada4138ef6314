# /// script
# requires-python = ">=3.11"
# dependencies = ["lm-eval[api]==0.4.13", "transformers==5.24.0", "tokenizers==0.23.3"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""lm-evaluation-harness with `local-completions`: a small multiple-choice task from a local file.

The stand-in's vocabulary is written as a tokenizer.json first, as the harness counts the tokens of a question itself.
"""

import json
import os
import sys
import tempfile
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

from lm_eval import simple_evaluate
from lm_eval.tasks import TaskManager
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

sys.path[1:1] = [str(Path.cwd()), str(Path(__file__).parents[1] / "python")]
from checks import KEY, MODEL, OPENAI_URL, URL, run  # noqa: E402

from local.model_container.tokenizer import BOS, EOS, PIECE  # noqa: E402

QUESTIONS = [
    {"question": "Was ist größer als ein Löwe?", "choices": ["an elephant", "a mouse"], "answer": 0},
    {"question": "Is 7 a prime?", "choices": ["yes", "no", "it depends on 你好"], "answer": 0},
    {"question": "Which one flies?", "choices": ["a stone", "a  bird, often"], "answer": 1},
]
TASK = """\
task: small_choice
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{data}"}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "Question: {{{{question}}}}\\nAnswer:"
doc_to_choice: choices
doc_to_target: answer
metric_list: [{{metric: acc}}, {{metric: acc_norm}}]
"""


def write_tokenizer(folder: Path) -> None:
    """The stand-in's pieces as a tokenizer.json."""
    texts = [f"Question: {each['question']}\nAnswer: {choice}" for each in QUESTIONS for choice in each["choices"]]
    pieces = sorted({piece for text in texts for piece in PIECE.findall(text)})
    tokenizer = Tokenizer(models.WordLevel({piece: at for at, piece in enumerate(["<unk>", *pieces])}, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECE.pattern), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([AddedToken(BOS, normalized=False), AddedToken(EOS, normalized=False)])
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": BOS, "eos_token": EOS, "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**names, "clean_up_tokenization_spaces": False}))


@cache
def results() -> dict[str, Any]:
    """What the harness found."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tokenizer(folder)
        (folder / "data.jsonl").write_text("\n".join(json.dumps(each) for each in QUESTIONS))
        (folder / "small_choice.yaml").write_text(TASK.format(data=folder / "data.jsonl"))
        os.environ["OPENAI_API_KEY"] = KEY
        found: dict[str, Any] = simple_evaluate(
            model="local-completions",
            model_args={
                "model": MODEL,
                "base_url": f"{OPENAI_URL}/completions",
                "tokenizer": name,
                "tokenizer_backend": "huggingface",
                "tokenized_requests": False,
            },
            tasks=["small_choice"],
            task_manager=TaskManager(include_path=name),
            bootstrap_iters=0,
        )
        return found


def prompt_tokens(prompt: str) -> list[dict[str, Any]]:
    """The tokens of a prompt as TGI's own route returns them, without the one in front."""
    parameters = {"max_new_tokens": 1, "decoder_input_details": True}
    body = json.dumps({"inputs": prompt, "parameters": parameters}).encode()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{URL}/generate", body, headers), timeout=60) as response:
        tokens: list[dict[str, Any]] = json.load(response)["details"]["prefill"][1:]
        return tokens


def loglikelihoods() -> None:
    """Each choice has the log probabilities of its own tokens."""
    checked = 0
    for sample in results()["samples"]["small_choice"]:
        context = f"Question: {sample['doc']['question']}\nAnswer:"
        for choice, ((value, _),) in zip(sample["doc"]["choices"], sample["resps"], strict=True):
            tokens = prompt_tokens(f"{context} {choice}")
            start = len(prompt_tokens(context))
            assert "".join(token["text"] for token in tokens[start:]) == f" {choice}"
            assert abs(value - sum(token["logprob"] for token in tokens[start:])) < 1e-6, choice
            checked += 1
    assert checked == sum(len(each["choices"]) for each in QUESTIONS)


def accuracy() -> None:
    """The metric is computed from them."""
    likeliest = []
    for sample in results()["samples"]["small_choice"]:
        values = [value for ((value, _),) in sample["resps"]]
        likeliest.append(values.index(max(values)) == sample["doc"]["answer"])
    assert results()["results"]["small_choice"]["acc,none"] == sum(likeliest) / len(likeliest)


run("lm-eval", "transformers", "tokenizers", loglikelihoods=loglikelihoods, accuracy=accuracy)
