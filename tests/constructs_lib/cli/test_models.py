"""The command models add, against a hub on loopback and with downloaded folders."""

import json
import socket

import pytest

from constructs_lib.planning.models.facts_file import read_model_file
from tests.constructs_lib.cli.fake_hub import CONFIG, INDEX, made_up_hub

SECRET = "hf_secretSECRETsecret"


@pytest.fixture
def hub(monkeypatch):
    with made_up_hub() as hub:
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


def test_a_model_of_the_hub_is_added_to_the_file(hub, add, file):
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


def test_models_that_are_in_the_file_stay_in_it(hub, add, file):
    for name in ("team/b", "team/A"):
        hub.serve(name)
        add(name)
    hub.serve("TEAM/b", config=CONFIG | {"max_position_embeddings": 4096})
    assert " replaced in " in add("TEAM/b").out
    models = read_model_file(file)
    assert list(models) == ["team/A", "TEAM/b"]
    assert models["team/b"].max_positions == 4096


def test_the_licence_by_name_and_the_gate_are_taken_from_the_hub(hub, add, file):
    hub.serve("team/model", info={"gated": "manual", "cardData": {"license": "other", "license_name": "team-1.0"}})
    add("team/model")
    facts = read_model_file(file)["team/model"]
    assert (facts.licence, facts.gated) == ("team-1.0", True)


def test_the_size_of_a_single_file_is_what_the_hub_counts(hub, add, file):
    hub.serve("team/model", index=None, info={"safetensors": {"parameters": {"BF16": 8_030_000_000, "F32": 65_536}}})
    add("team/model")
    assert read_model_file(file)["team/model"].weight_bytes == 16_060_262_144


def test_a_mirror_that_has_only_files_will_do(hub, add, file):
    hub.serve("team/model", info=None, index=None)
    assert add("team/model").status == 0
    facts = read_model_file(file)["team/model"]
    assert (facts.licence, facts.weight_bytes, facts.parameters) == ("unknown", None, 8_030_261_248)


def test_a_revision_is_read_as_such(hub, add, file):
    hub.serve("team/model", revision="pr%2F1")
    assert add("team/model", "--revision", "pr/1").status == 0
    assert read_model_file(file)["team/model"].source.endswith("/team/model at pr/1")


def test_the_token_goes_to_the_hub_and_into_nothing_else(hub, add, file, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", SECRET)
    hub.serve("team/model")
    outcome = add("team/model")
    assert {token for _, token in hub.asked} == {f"Bearer {SECRET}"}
    assert SECRET not in outcome.out + outcome.err + file.read_text()


def test_the_token_does_not_follow_to_another_host(hub, add, file, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", SECRET)
    hub.serve("team/model")
    with made_up_hub() as elsewhere:
        elsewhere.paths["/file"] = CONFIG
        hub.paths["/team/model/resolve/main/config.json"] = f"{elsewhere.url}/file"
        assert add("team/model").status == 0
        assert elsewhere.asked == [("/file", None)]


@pytest.mark.parametrize(
    ("status", "token", "words"),
    [
        (
            401,
            None,
            "is not served by {hub} without a token (401). Check the id. If it is gated or private, set HF_TOKEN",
        ),
        (401, SECRET, "is not served to the account of HF_TOKEN (401). Ask for access on its hub page"),
        (403, SECRET, "is not served to the account of HF_TOKEN (403). Ask for access on its hub page"),
        (403, None, "is not served by {hub} without a token (403). Check the id."),
        (404, None, "has no config.json at main on {hub}. Check the id on its hub page"),
        (429, None, "could not be read: {hub} answered 429. Try again later."),
        (503, None, "could not be read: {hub} answered 503. Try again later."),
        (418, None, "could not be read: {hub} answered 418. Check HF_ENDPOINT."),
    ],
)
def test_a_refusal_of_the_hub_says_what_to_do(hub, add, file, monkeypatch, status, token, words):
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    hub.paths["/team/model/resolve/main/config.json"] = status
    outcome = add("team/model")
    assert outcome.status == 1
    assert f"error: model 'team/model': {words.format(hub=hub.url)}" in outcome.err
    assert SECRET not in outcome.err
    assert not file.exists()


def test_a_hub_that_is_out_of_reach_is_named(add, monkeypatch, file):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        outcome = add("team/model")
    assert outcome.status == 1
    assert (
        f"hub '{address}': is out of reach: Connection refused. Check the network and HF_ENDPOINT, or give"
        in outcome.err
    )


@pytest.mark.parametrize("address", ["ftp://hub", "hub.example", "file:///etc"])
def test_an_endpoint_that_is_no_address_is_refused(add, monkeypatch, address):
    monkeypatch.setenv("HF_ENDPOINT", address)
    outcome = add("team/model")
    assert outcome.status == 1
    assert f"HF_ENDPOINT '{address}': is no address of a hub." in outcome.err


def test_an_answer_that_is_no_json_is_told(hub, add):
    hub.paths["/team/model/resolve/main/config.json"] = b"<html>"
    outcome = add("team/model")
    assert outcome.status == 1
    assert "config.json: is no JSON" in outcome.err


def test_an_answer_that_is_no_object_is_told(hub, add):
    hub.paths["/team/model/resolve/main/config.json"] = b"[1]"
    assert "config.json: is no JSON object" in add("team/model").err


def test_a_config_that_lacks_something_is_told(hub, add, file):
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


def test_a_folder_gives_its_name_and_the_size_of_its_files(add, folder, file):
    for number in range(2):
        (folder / f"model-{number}.safetensors").write_bytes(b"x" * 1000)
    config = CONFIG | {"model_type": "brand_new"}
    (folder / "config.json").write_text(json.dumps(config))
    assert add(folder).status == 0
    facts = read_model_file(file)["my-model"]
    assert (facts.weight_bytes, facts.parameters) == (2000, 1000)


def test_a_folder_without_a_config_is_told(add, folder):
    (folder / "config.json").unlink()
    outcome = add(folder)
    assert outcome.status == 1
    assert f"{folder}/config.json: cannot be read: No such file or directory." in outcome.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("./nowhere",), "model './nowhere': is no folder."),
        (("a b",), "model 'a b': is no hub id. Write owner/name, as on its hub page."),
        (("https://huggingface.co/a/b",), "is no hub id."),
        (("a/b/c",), "is no hub id."),
        (("team/model", "--name", "x/y"), "--name 'x/y': is for a folder"),
        (("{folder}", "--name", "x y"), "--name 'x y': is no hub id."),
        (("{folder}", "--revision", "main"), "--revision 'main': is for the hub, not for a folder."),
    ],
)
def test_a_misuse_is_told(add, folder, arguments, words):
    outcome = add(*(argument.format(folder=folder) for argument in arguments))
    assert outcome.status == 2
    assert words in outcome.err


def test_a_file_that_is_something_else_is_left_alone(add, folder, file):
    file.write_text('{"name": "package"}')
    outcome = add(folder)
    assert outcome.status == 2
    assert f"--output {file}: format: is what the file must have, with a list 'models'." in outcome.err
    assert file.read_text() == '{"name": "package"}'


def test_a_folder_that_is_not_there_cannot_have_the_file(run, folder, tmp_path):
    outcome = run("models", "add", folder, "--output", tmp_path / "nope" / "models.json")
    assert outcome.status == 2
    assert "its folder does not exist. Make it, or name another file." in outcome.err
