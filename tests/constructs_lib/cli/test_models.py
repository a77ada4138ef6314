"""The command models add, with a fake hub and with downloaded folders."""

import json
import socket

import pytest

from constructs_lib.planning.models.facts_file import read_model_file
from tests.constructs_lib.cli.fake_hub import CONFIG, INDEX, fake_hub

GATED = "Check the id. If it is gated or private, set HF_TOKEN to the token of an account that has access."
SECRET = "hf_secretSECRETsecret"


@pytest.fixture
def hub(monkeypatch):
    with fake_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url + "/")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield hub


@pytest.fixture
def file(tmp_path):
    return tmp_path / "models.json"


@pytest.fixture
def add(run, file):
    return lambda *arguments: run("models", "add", *arguments, "--output", file)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "my-model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return folder


def test_a_model_on_the_hub_is_added_to_the_file(hub, add, file):
    hub.serve("team/model")
    outcome = add("team/model")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith(f"team/model added in {file}: 8.0 B parameters, 15.0 GiB of weights, 32 layers,")
    facts = read_model_file(file)["team/model"]
    assert (facts.parameters, facts.weight_bytes, facts.licence, facts.gating) == (
        8_030_261_248,
        16_060_522_496,
        "apache-2.0",
        "no",
    )
    assert facts.source == f"{hub.url}/team/model at main"
    assert len(facts.date) == 10


def test_models_already_in_the_file_are_kept(hub, add, file):
    for name in ("team/b", "team/A"):
        hub.serve(name)
        add(name)
    hub.serve("TEAM/b", config=CONFIG | {"max_position_embeddings": 4096})
    assert " replaced in " in add("TEAM/b").out
    models = read_model_file(file)
    assert list(models) == ["team/A", "TEAM/b"]
    assert models["team/b"].max_positions == 4096


def test_the_licence_and_the_gating_come_from_the_hub(hub, add, file):
    hub.serve("team/model", info={"gated": "manual", "cardData": {"license": "other", "license_name": "team-1.0"}})
    add("team/model")
    facts = read_model_file(file)["team/model"]
    assert (facts.licence, facts.gated) == ("team-1.0", True)


def test_the_size_of_a_single_file_comes_from_the_hubs_parameter_count(hub, add, file):
    hub.serve("team/model", index=None, info={"safetensors": {"parameters": {"BF16": 8_030_000_000, "F32": 65_536}}})
    add("team/model")
    assert read_model_file(file)["team/model"].weight_bytes == 16_060_262_144


def test_a_mirror_that_serves_only_files_suffices(hub, add, file):
    hub.serve("team/model", info=None, index=None)
    assert add("team/model").status == 0
    facts = read_model_file(file)["team/model"]
    assert (facts.licence, facts.weight_bytes, facts.parameters) == ("unknown", None, 8_030_261_248)


def test_a_revision_can_be_chosen(hub, add, file):
    hub.serve("team/model", revision="pr%2F1")
    assert add("team/model", "--revision", "pr/1").status == 0
    assert read_model_file(file)["team/model"].source.endswith("/team/model at pr/1")


def test_the_token_is_sent_to_the_hub_and_written_nowhere(hub, add, file, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", SECRET)
    hub.serve("team/model")
    outcome = add("team/model")
    assert {token for _, token in hub.requests} == {f"Bearer {SECRET}"}
    assert SECRET not in outcome.out + outcome.err + file.read_text()


def test_the_token_is_not_sent_to_another_host(hub, add, file, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", SECRET)
    hub.serve("team/model")
    with fake_hub() as elsewhere:
        elsewhere.paths["/file"] = CONFIG
        hub.paths["/team/model/resolve/main/config.json"] = f"{elsewhere.url}/file"
        assert add("team/model").status == 0
        assert elsewhere.requests == [("/file", None)]


@pytest.mark.parametrize(
    ("status", "token", "message"),
    [
        (
            401,
            None,
            f"is not served by {{hub}} without a token (401). {GATED}",
        ),
        (401, SECRET, "is not served to the account of HF_TOKEN (401). Request access on its hub page"),
        (403, SECRET, "is not served to the account of HF_TOKEN (403). Request access on its hub page"),
        (403, None, "is not served by {hub} without a token (403). Check the id."),
        (404, None, "has no config.json at main on {hub}. Check the id on its hub page"),
        (429, None, "could not be read: {hub} answered 429. Try again later."),
        (503, None, "could not be read: {hub} answered 503. Try again later."),
        (418, None, "could not be read: {hub} answered 418. Check HF_ENDPOINT."),
    ],
)
def test_an_error_status_of_the_hub_says_what_to_do(hub, add, file, monkeypatch, status, token, message):
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    hub.paths["/team/model/resolve/main/config.json"] = status
    outcome = add("team/model")
    assert outcome.status == 1
    assert f"error: model 'team/model': {message.format(hub=hub.url)}" in outcome.err
    assert SECRET not in outcome.err
    assert not file.exists()


def test_a_hub_that_cannot_be_reached_is_named(add, monkeypatch, file):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        outcome = add("team/model")
    assert outcome.status == 1
    assert (
        f"hub '{address}': cannot be reached: Connection refused. Check the network and HF_ENDPOINT, or name"
        in outcome.err
    )


@pytest.mark.parametrize("address", ["ftp://hub", "hub.example", "file:///etc"])
def test_an_hf_endpoint_that_is_not_a_url_is_rejected(add, monkeypatch, address):
    monkeypatch.setenv("HF_ENDPOINT", address)
    outcome = add("team/model")
    assert outcome.status == 1
    assert f"HF_ENDPOINT '{address}': is not an HTTP URL." in outcome.err


def test_a_response_that_is_not_json_is_reported(hub, add):
    hub.paths["/team/model/resolve/main/config.json"] = b"<html>"
    outcome = add("team/model")
    assert outcome.status == 1
    assert "config.json: is not valid JSON" in outcome.err


def test_a_response_that_is_not_an_object_is_reported(hub, add):
    hub.paths["/team/model/resolve/main/config.json"] = b"[1]"
    assert "config.json: is not a JSON object" in add("team/model").err


def test_an_incomplete_config_is_reported(hub, add, file):
    hub.serve("team/model", config={"model_type": "llama", "hidden_size": 1})
    outcome = add("team/model")
    assert outcome.status == 1
    assert "config.json: of team/model cannot be used: num_attention_heads: is missing" in outcome.err
    assert "vocab_size: is missing" in outcome.err
    assert not file.exists()


def test_a_folder_is_read_without_a_hub(add, folder, file, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    (folder / "model.safetensors.index.json").write_text(json.dumps(INDEX))
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: mit\n---\n# A model\n")
    assert add(folder, "--name", "team/model").status == 0
    facts = read_model_file(file)["team/model"]
    assert (facts.weight_bytes, facts.licence, facts.source) == (
        16_060_522_496,
        "mit",
        "config.json of a downloaded folder",
    )


def test_a_model_in_a_folder_has_the_folders_name_and_the_size_of_its_files(add, folder, file):
    for number in range(2):
        (folder / f"model-{number}.safetensors").write_bytes(b"x" * 1000)
    config = CONFIG | {"model_type": "brand_new"}
    (folder / "config.json").write_text(json.dumps(config))
    assert add(folder).status == 0
    facts = read_model_file(file)["my-model"]
    assert (facts.weight_bytes, facts.parameters) == (2000, 1000)


ADAPTER = {"base_model_name_or_path": "meta-llama/Llama-3.1-8B-Instruct", "peft_type": "LORA"}
BASE = "meta-llama/Llama-3.1-8B-Instruct"
IS_ADAPTER = (
    f"is an adapter of {BASE} and has no weights of its own (adapter_config.json). Serve {BASE} with"
    " options.lora_adapters, or merge the adapter into the weights (merge_and_unload of peft) and add the result."
)
GGUF = (
    "has GGUF files, which llama.cpp reads; the engines read safetensors. Give the id of the repository that they were"
    " made from, and compress with options.quantize."
)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["README.md", "model.Q4_K_M.gguf"], GGUF),
        (["config.json", "model.Q4_K_M.gguf"], GGUF),
        (["config.json", "llama.ggmlv3.q4_0.bin"], GGUF.replace("GGUF", "GGML")),
        (["onnx/model.onnx", "config.json"], "has ONNX files; the engines read safetensors."),
        (["model.nemo"], "has files of NVIDIA NeMo; the engines read safetensors."),
        (["adapter_config.json", "adapter_model.safetensors", "training_args.bin", "optimizer.pt"], IS_ADAPTER),
        (["adapter_config.json", "adapter_model.bin", "config.json"], IS_ADAPTER),
        (
            ["model_index.json", "unet/model.safetensors"],
            "is a diffusion model, which makes images (model_index.json).",
        ),
    ],
)
def test_a_repository_without_weights_for_tgi_is_explained(hub, add, file, files, words):
    hub.serve("team/model", index=None, info={"siblings": [{"rfilename": name} for name in files]})
    hub.paths["/team/model/resolve/main/adapter_config.json"] = ADAPTER
    if "config.json" not in files:
        del hub.paths["/team/model/resolve/main/config.json"]
    outcome = add("team/model")
    assert outcome.status == 1
    assert f"error: model 'team/model': {words}" in outcome.err
    assert not file.exists()


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("google/gemma-7b", "Give google/gemma-7b, and compress with options.quantize."),
        (["google/gemma-7b"], "Give google/gemma-7b, and compress with options.quantize."),
        (["google/gemma-7b", "google/gemma-2b"], "Give the id of the repository that they were made from, and"),
        (7, "Give the id of the repository that they were made from, and"),
    ],
)
def test_the_card_of_a_repository_of_gguf_files_names_the_original(hub, add, base, words):
    siblings = [{"rfilename": "model.Q4_K_M.gguf"}]
    hub.serve("team/model", index=None, info={"siblings": siblings, "cardData": {"base_model": base}})
    assert words in add("team/model").err


@pytest.mark.parametrize(
    "files",
    [
        ["config.json", "model.safetensors", "model.Q4_K_M.gguf"],
        ["config.json", "pytorch_model.bin", "onnx/model.onnx"],
        ["config.json", "model-00001-of-00002.safetensors", "adapter_config.json"],
        ["config.json"],
    ],
)
def test_weights_for_tgi_may_lie_beside_others(hub, add, files):
    hub.serve("team/model", info={"siblings": [{"rfilename": name} for name in files]})
    assert add("team/model").status == 0
    asked = {path.removeprefix("/team/model/resolve/main/") for path, _ in hub.requests}
    assert asked == {"config.json", "/api/models/team/model/revision/main"}, "no file that the list lacks"


@pytest.mark.parametrize(
    ("name", "words"),
    [("adapter_config.json", IS_ADAPTER), ("model_index.json", "is a diffusion model, which makes images")],
)
def test_a_mirror_that_lists_no_files_is_asked_for_what_tells(hub, add, name, words):
    hub.paths[f"/team/model/resolve/main/{name}"] = ADAPTER
    assert f"error: model 'team/model': {words}" in add("team/model").err


def test_an_adapter_in_a_folder_is_explained(add, folder):
    (folder / "config.json").unlink()
    (folder / "adapter_config.json").write_text("{}")
    outcome = add(folder)
    assert outcome.status == 1
    assert "is an adapter of its base model and has no weights of its own (adapter_config.json). Serve" in outcome.err


def test_an_encoder_is_explained(hub, add):
    hub.serve("team/model", config={"model_type": "bert", "architectures": ["BertForMaskedLM"]})
    words = "config.json: of team/model cannot be used: architectures 'BertForMaskedLM': is of an encoder, which makes"
    assert words in add("team/model").err


@pytest.mark.parametrize("lists_files", [True, False])
def test_bits_and_groups_are_read_from_a_file_beside_config_json(hub, add, file, lists_files):
    siblings = [{"rfilename": name} for name in ("config.json", "quant_config.json", "model.safetensors")]
    hub.serve("team/model", info={"siblings": siblings} if lists_files else None)
    hub.paths["/team/model/resolve/main/quant_config.json"] = {"w_bit": 4, "q_group_size": 64, "zero_point": True}
    add("team/model")
    facts = read_model_file(file)["team/model"]
    assert (facts.quantization, facts.bits, facts.group_size) == ("awq", 4, 64)


def test_bits_and_groups_are_read_in_a_folder(add, folder, file):
    (folder / "quantize_config.json").write_text(json.dumps({"bits": 4, "group_size": 32, "desc_act": True}))
    add(folder)
    facts = read_model_file(file)["my-model"]
    assert (facts.quantization, facts.bits, facts.group_size, facts.act_order) == ("gptq", 4, 32, True)


@pytest.mark.parametrize("has_file", [True, False])
def test_whether_config_json_alone_has_the_settings_of_a_compression_is_noted(add, folder, file, has_file):
    config = json.loads((folder / "config.json").read_text())
    section = {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128}}
    (folder / "config.json").write_text(json.dumps(config | section))
    if has_file:
        (folder / "quant_config.json").write_text(json.dumps({"w_bit": 4, "q_group_size": 128, "zero_point": True}))
    add(folder)
    assert read_model_file(file)["my-model"].settings_in_config is not has_file


def test_a_folder_without_a_config_is_reported(add, folder):
    (folder / "config.json").unlink()
    outcome = add(folder)
    assert outcome.status == 1
    assert f"{folder}/config.json: cannot be read: No such file or directory." in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("./nowhere",), "model './nowhere': is not a folder."),
        (("a b",), "model 'a b': is not a hub id. Write owner/name, as on its hub page."),
        (("https://huggingface.co/a/b",), "is not a hub id."),
        (("a/b/c",), "is not a hub id."),
        (("team/model", "--name", "x/y"), "--name 'x/y': applies to a folder"),
        (("{folder}", "--name", "x y"), "--name 'x y': is not a hub id."),
        (("{folder}", "--revision", "main"), "--revision 'main': applies to the hub, not to a folder."),
    ],
)
def test_a_usage_error_is_reported(add, folder, arguments, message):
    outcome = add(*(argument.format(folder=folder) for argument in arguments))
    assert outcome.status == 2
    assert message in outcome.err


def test_a_file_that_is_not_a_model_file_is_left_alone(add, folder, file):
    file.write_text('{"name": "package"}')
    outcome = add(folder)
    assert outcome.status == 2
    assert f"--output {file}: format: is the format that the file must have, with a list 'models'." in outcome.err
    assert file.read_text() == '{"name": "package"}'


def test_the_output_folder_must_exist(run, folder, tmp_path):
    outcome = run("models", "add", folder, "--output", tmp_path / "nope" / "models.json")
    assert outcome.status == 2
    assert "its folder does not exist. Create it, or name another file." in outcome.err
