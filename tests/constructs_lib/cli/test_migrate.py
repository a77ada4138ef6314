"""The command migrate, with cloud assemblies written by the CDK, and with models on the command line."""

import ast
import json
import shutil

import pytest
from aws_cdk import App, CfnWaitConditionHandle, Stack, Stage
from aws_cdk import aws_s3 as s3

from constructs_lib import (
    AsyncTgiEndpoint,
    FrontDoor,
    InstanceType,
    Mirror,
    Model,
    TgiEndpoint,
    TgiOptions,
    VllmEndpoint,
)
from constructs_lib.cli import migrate_json, migrate_text
from constructs_lib.cli.migrate import _EPILOG
from constructs_lib.cli.output import Output
from constructs_lib.planning.migration.code import Names
from constructs_lib.planning.models.facts import ModelChoice
from tests.constructs_lib.cli.text_stream import TextStream
from tests.constructs_lib.planning.migration.moved import moved

NAMED = Names(old="tgi", new="vllm", model="llama")
FALCON = {"model": Model.from_hub("tiiuae/falcon-7b"), "instance_type": InstanceType.G5_2XLARGE}
QWEN = ("--model", "Qwen/Qwen2.5-7B-Instruct", "--instance", "ml.g5.2xlarge", "--tokens", "8192")


@pytest.fixture(scope="module")
def assembly(tmp_path_factory):
    folder = tmp_path_factory.mktemp("migrate") / "cdk.out"
    app = App(outdir=str(folder))
    chat = Stack(app, "Chat")
    options = TgiOptions(max_input_tokens=6144, max_total_tokens=8192, max_concurrent_requests=64, json_output=True)
    qwen = TgiEndpoint(
        chat,
        "QwenPrimary",
        model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct", revision="a09a35458c702b33eeacc393d103063234e8bc28"),
        instance_type=InstanceType.G5_2XLARGE,
        options=options,
        environment={"HF_ENDPOINT": "https://mirror.example.com"},
    )
    qwen.set_capacity_range(1, 3)
    FrontDoor(chat, "Api", models={"qwen": qwen})
    two = Stack(Stage(app, "Prod"), "Two")
    TgiEndpoint(two, "First", **FALCON).add_variant("trial", weight=0.1)
    bucket = s3.Bucket.from_bucket_name(two, "Weights", "team-weights")
    AsyncTgiEndpoint(two, "Second", **FALCON, bucket=bucket, max_instances=2)
    VllmEndpoint(Stack(app, "New"), "E", model=Model.from_hub("Qwen/Qwen3-8B"), instance_type=InstanceType.G6E_XLARGE)
    CfnWaitConditionHandle(Stack(app, "Other"), "Handle")
    app.synth()
    return folder


def test_a_stack_is_read_from_the_assembly_with_its_options_and_what_the_plan_set(run, assembly):
    outcome = run("migrate", "Chat", "--to", "vllm", "--assembly", assembly)
    rows = outcome.out.splitlines()
    assert rows[0] == "Chat/QwenPrimary · Qwen/Qwen2.5-7B-Instruct · TGI 3.3.6 → vLLM 0.30.0"
    becomes = {row.split()[0]: " ".join(row.split()[1:]) for row in rows[3:20] if row}
    assert becomes["max_total_tokens=8192"] == "you max_model_len=8192"
    assert becomes["max_concurrent_requests=64"] == (
        "you max_num_queued_reqs=64 Running and waiting together, as in TGI; more get 429."
    )
    assert becomes["json_output=True"] == "you LOST vLLM writes its log as text."
    assert becomes["num_shard=1"].startswith("plan by itself The plan lets every GPU")
    assert becomes["environment['HF_ENDPOINT']=https://mirror.example.com"].startswith("you environment['HF_ENDPOINT']")
    assert outcome.status == 1


def test_the_price_before_and_after_is_that_of_all_instances(run, assembly):
    out = run("migrate", "Chat", "--to", "vllm", "--assembly", assembly).out
    assert "TGI 3.3.6    ml.g5.2xlarge  1 × A10G    8,192      180  1.515–4.545  1,106–3,318\n" in out
    assert "vLLM 0.30.0  ml.g5.2xlarge  1 × A10G    8,192      192  1.515–4.545  1,106–3,318\n" in out
    assert "While both run: 9.090 USD an hour.\n" in out


def test_clients_are_told_only_what_applies(run, assembly):
    (report,) = json.loads(run("migrate", "Chat", "--to", "vllm", "--json", "--assembly", assembly).out)
    found = {one["subject"]: one["header"] for one in report["clients"]}
    assert found == {
        "frequency_penalty": "frequency_penalty",
        "seed": "seed",
        "stop": "stop",
        "max_new_tokens": "max_new_tokens",
        "grammar": "grammar",
        "watermark": None,
        "typical_p": None,
        "temperature above 2": None,
        "seed of 2^63 or more": None,
        "top_n_tokens": None,
        "members of responses": None,
        "tools": None,
        "longest prompt": None,
    }


def test_sglang_has_no_route_of_tgi(run, assembly):
    (report,) = json.loads(run("migrate", "Chat", "--to", "sglang", "--json", "--assembly", assembly).out)
    subjects = [one["subject"] for one in report["clients"]]
    assert subjects[0] == "/generate, /generate_stream, /, inputs"
    assert "watermark" not in subjects


def test_the_code_names_the_construct_and_the_model_as_the_app_does(run, assembly):
    out = run("migrate", "Chat", "--to", "vllm", "--assembly", assembly).out
    assert out.partition("THE CODE\n\n")[2] == (
        """from constructs_lib import InstanceType, LogprobsMode, Model, VllmEndpoint, VllmOptions

qwen_primary_vllm = VllmEndpoint(
    self,
    "QwenPrimaryVllm",
    model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct", revision="a09a35458c702b33eeacc393d103063234e8bc28"),
    instance_type=InstanceType.G5_2XLARGE,
    options=VllmOptions(
        max_model_len=8192,
        max_num_queued_reqs=64,
        tool_call_parser="hermes",
        logprobs_mode=LogprobsMode.PROCESSED_LOGPROBS,
        structured_outputs_config={"backend": "xgrammar", "disable_any_whitespace": True},
    ),
    environment={"HF_ENDPOINT": "https://mirror.example.com"},
)

# The other arguments of the endpoint on TGI (vpc, role, scale_to_zero, …) are the same on every engine.
# Then the models of the front door, one deployment each (docs/migrate.md):
from constructs_lib import Mirror, Split

# 1. Mirror: the new engine gets a copy of 5 % of the requests, and its answers are dropped.
models = {"qwen": Mirror(qwen_primary, to=qwen_primary_vllm, percent=5)}
# 2. Split: 5 % of the callers get their answers from it.
models = {"qwen": Split({qwen_primary: 95, qwen_primary_vllm: 5})}
# 3. Half of them.
models = {"qwen": Split({qwen_primary: 50, qwen_primary_vllm: 50})}
# 4. All of them; the endpoint on TGI still runs, and a deployment of the step before goes back.
models = {"qwen": Split({qwen_primary: 0, qwen_primary_vllm: 100})}
# 5. Remove the endpoint on TGI, `qwen_primary`, from the stack.
models = {"qwen": qwen_primary_vllm}
"""
    )


def test_a_stack_with_several_endpoints_is_reported_whole_its_variants_too(run, assembly):
    reports = json.loads(run("migrate", "Prod-Two", "--to", "vllm", "--json", "--assembly", assembly).out)
    paths = [one["endpoint"] for one in reports]
    assert [path for path in paths if "trial" not in path] == ["Prod/Two/First", "Prod/Two/Second"]
    assert len(paths) == 3


def test_a_path_names_one_of_them(run, assembly):
    outcome = run("migrate", "Prod/Two/First", "--to", "lmi", "--json", "--assembly", assembly)
    (report,) = json.loads(outcome.out)
    assert (outcome.status, report["endpoint"], report["lost"]) == (0, "Prod/Two/First", [])


def test_an_asynchronous_endpoint_has_no_counterpart(run, assembly):
    outcome = run("migrate", "Prod/Two/Second", "--to", "vllm", "--json", "--assembly", assembly)
    (report,) = json.loads(outcome.out)
    assert (outcome.status, report["lost"]) == (1, ["AsyncTgiEndpoint"])
    assert report["options"][0]["reason"] == ("Asynchronous endpoints are TGI's alone; vLLM answers callers that wait.")


NAMES = "On TGI are Chat, Chat/QwenPrimary, Prod-Two, Prod/Two/First"


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ("Chats", "is not in {folder}. Did you mean Chat? " + NAMES),
        ("New", "has no endpoint on TGI, but on vLLM. " + NAMES),
        ("Other", "has no plan of an endpoint with one model. " + NAMES),
    ],
)
def test_an_unknown_stack_or_one_without_a_plan_is_an_error_with_the_names_that_there_are(
    run, assembly, stack, message
):
    outcome = run("migrate", stack, "--to", "vllm", "--assembly", assembly)
    assert outcome.status == 2
    assert f"error: STACK '{stack}': {message.format(folder=assembly)}" in outcome.err
    assert outcome.out == ""


def test_an_assembly_without_tgi_says_so(run, tmp_path):
    (tmp_path / "manifest.json").write_text('{"artifacts": {}}')
    outcome = run("migrate", "Chat", "--to", "vllm", "--assembly", tmp_path)
    assert (outcome.status, outcome.err.splitlines()[0]) == (
        2,
        f"error: STACK 'Chat': is not in {tmp_path}. Nothing in {tmp_path} is on TGI.",
    )


def test_without_an_assembly_the_command_says_what_to_run(run, tmp_path):
    outcome = run("migrate", "Chat", "--to", "vllm", "--assembly", tmp_path)
    assert outcome.status == 2
    assert outcome.err == (
        f"error: {tmp_path / 'manifest.json'}: cannot be read: No such file or directory."
        " Run cdk synth first, and name the folder it wrote.\n"
    )


@pytest.mark.parametrize("data", ["words", {}, {"engine": "tgi"}, {"engine": "none"}], ids=str)
def test_a_description_that_is_of_no_version_is_an_error_that_names_its_endpoint(run, tmp_path, data):
    metadata = {"/Chat/Qwen": [{"type": "tgi-endpoint:request", "data": data}]}
    stack = {"type": "aws:cloudformation:stack", "properties": {}, "metadata": metadata}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"Chat": stack}}))
    outcome = run("migrate", "Chat", "--to", "vllm", "--assembly", tmp_path)
    assert (outcome.status, outcome.out, outcome.err) == (
        2,
        "",
        (
            "error: Chat/Qwen: is described in the assembly in words that this version of tgi-endpoint does not read."
            " Run cdk synth again, with this version.\n"
        ),
    )


def test_an_option_of_a_later_version_is_an_error_that_names_its_endpoint(run, assembly, tmp_path):
    folder = tmp_path / "cdk.out"
    shutil.copytree(assembly, folder)
    for file in folder.glob("*.json"):
        file.write_text(file.read_text().replace('"json_output"', '"yaml_output"'))
    outcome = run("migrate", "Chat", "--to", "vllm", "--assembly", folder)
    assert outcome.status == 2
    assert outcome.err.startswith("error: Chat/QwenPrimary: is described in the assembly in words that this version")


def test_the_examples_of_its_help_run(run, assembly, monkeypatch):
    monkeypatch.chdir(assembly.parent)
    examples = _EPILOG.partition("examples:\n")[2].replace("LlamaTgiStack", "Chat").replace("Prod/Chat/Llama", "Chat")
    lines = [line.split()[1:] for line in examples.replace("build/", "").splitlines()]
    assert [run("migrate", *line).status for line in lines] == [1, 1, 0]


def test_the_model_is_called_as_clients_call_it_also_if_testers_have_another_name(run, tmp_path):
    app = App(outdir=str(tmp_path / "cdk.out"))
    stack = Stack(app, "Chat")
    tgi, vllm = TgiEndpoint(stack, "Tgi", **FALCON), VllmEndpoint(stack, "Vllm", **FALCON)
    FrontDoor(stack, "Api", models={"old": vllm, "falcon": Mirror(tgi, to=vllm, percent=5), "new": vllm})
    app.synth()
    (report,) = json.loads(run("migrate", "Chat", "--to", "vllm", "--json", "--assembly", tmp_path / "cdk.out").out)
    assert report["steps"][-1]["code"] == 'models = {"falcon": tgi_vllm}'


@pytest.mark.parametrize(("id", "variable"), [("class", "model_class"), ("Import", "model_import")])
def test_an_id_that_is_a_word_of_python_is_no_variable(run, tmp_path, id, variable):
    app = App(outdir=str(tmp_path / "cdk.out"))
    TgiEndpoint(Stack(app, "Chat"), id, **FALCON)
    app.synth()
    (report,) = json.loads(run("migrate", "Chat", "--to", "vllm", "--json", "--assembly", tmp_path / "cdk.out").out)
    assert [ast.unparse(ast.parse(step["code"])) for step in report["steps"]][-1] == (
        f"models = {{'{variable}': {variable}_vllm}}"
    )


@pytest.mark.parametrize(
    ("arguments", "errors"),
    [
        ((), ["--to: is missing. Use one of vllm, sglang, lmi.", "STACK: is missing. Name a stack, or a model with"]),
        (("Chat", "--to", "vlm"), ["--to 'vlm': is not known. Did you mean vllm or lmi?"]),
        (
            ("Chat", "--to", "vllm", "--model", "tiiuae/falcon-7b"),
            ["--model: is for an endpoint that is not synthesized; Chat has its own. Leave it out, or the stack."],
        ),
        (
            ("--to", "vllm", "--model", "tiiuae/falcon-7x", "--option", "max_tokens=1", "--option", "x"),
            [
                "--model 'tiiuae/falcon-7x': is not in the catalogue",
                "--option 'max_tokens': is no option of TGI",
                "--option 'x': has no value",
            ],
        ),
        (("--to", "vllm", "--model", "tiiuae/falcon-7b", "--wibble"), ["--wibble: is not known"]),
    ],
)
def test_all_usage_errors_of_one_call_are_reported_together(run, arguments, errors):
    outcome = run("migrate", *arguments)
    assert outcome.status == 2
    for error in errors:
        assert f"error: {error}" in outcome.err


def test_a_model_and_its_options_are_taken_as_plan_takes_them(run):
    outcome = run("migrate", *QWEN, "--quantize", "eetq", "--to", "vllm", "--json")
    (report,) = json.loads(outcome.out)
    fates = {one["option"]: one["settings"] for one in report["options"]}
    assert fates["quantize"] == {"quantization": "int8_per_channel_weight_only"}
    assert fates["max_total_tokens"] == {"max_model_len": 8192}
    assert (outcome.status, report["fits"], report["before"]["max_usd_per_hour"]) == (0, True, 1.515)
    assert report["code"].startswith("from constructs_lib import InstanceType, LogprobsMode, Model, VllmEndpoint, Vll")


@pytest.mark.parametrize(
    "model",
    [
        ("bigscience/bloom-3b",),
        ("bigscience/bloom-3b", "--quantize", "eetq"),
        ("microsoft/Phi-3-mini-4k-instruct",),
        ("bigscience/bloom-3b", "--tokens", "1024"),
    ],
    ids=" ".join,
)
def test_what_tgi_works_out_by_itself_is_left_to_it_where_the_suggested_settings_do_not_fit(run, model):
    outcome = run("migrate", "--model", *model, "--to", "vllm", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    (report,) = json.loads(outcome.out)
    assert (report["model"], report["fits"]) == (model[0], True)


def test_an_option_that_is_lost_makes_the_status_1(run):
    outcome = run("migrate", *QWEN, "--option", "watermark_gamma=0.5", "--to", "vllm", "--json")
    assert (outcome.status, json.loads(outcome.out)[0]["lost"]) == (1, ["watermark_gamma"])


def test_options_that_tgi_refuses_are_its_problems(run):
    outcome = run("migrate", *QWEN, "--option", "max_input_tokens=9000", "--to", "vllm")
    assert outcome.status == 2
    assert "error: options.max_input_tokens 9000: must be less than max_total_tokens=8192." in outcome.err


def test_an_instance_that_nobody_named_is_no_mistake_of_the_call(run):
    model = ("--model", "Qwen/Qwen2.5-7B-Instruct", "--option", "quantize=exl2", "--to", "vllm")
    errors = [line for line in run("migrate", *model).err.splitlines() if line.startswith("error:")]
    assert [line.split(":")[1] for line in errors] == [" options.quantize 'exl2'"]
    named = run("migrate", *model, "--instance", "ml.g4dn.xlarge").err
    assert "error: instance_type 'ml.g4dn.xlarge': qwen2 models look back at a sliding window" in named


def test_a_model_that_does_not_fit_there_moves_to_the_cheapest_instance_that_it_fits(run):
    arguments = ("--model", "mistralai/Mistral-Small-24B-Instruct-2501", "--instance", "ml.g6.12xlarge")
    outcome = run("migrate", *arguments, "--option", "quantize=bitsandbytes-nf4", "--to", "vllm", "--json")
    (report,) = json.loads(outcome.out)
    assert report["lost"] == ["quantize"]
    assert report["fits"] is True


def written(migration):
    stream = TextStream()
    migrate_text.report("Chat/Llama", NAMED, migration, Output(stream))
    return stream.getvalue()


def test_whether_it_fits_is_said_by_the_plan_of_the_new_engine(run):
    assert "By the memory plan of vLLM it fits ml.g5.2xlarge, with " in run("migrate", *QWEN, "--to", "vllm").out
    unknown = ModelChoice(source="hub", hub_id="team/unknown")
    assert "Whether it fits is not known: the shape of the model, or an option of vLLM, is not.\n" in written(
        moved("vllm", model=unknown)
    )


def test_another_instance_type_is_named_with_what_the_old_one_lacks(run):
    arguments = ("--model", "meta-llama/Llama-3.1-8B-Instruct", "--instance", "ml.g4dn.xlarge", "--tokens", "2048")
    out = run("migrate", *arguments, "--quantize", "bitsandbytes-nf4", "--to", "vllm").out
    assert "instance_type=ml.g4dn.xlarge: cannot hold meta-llama/Llama-3.1-8B-Instruct: " in out
    assert "The cheapest that vLLM fits is ml.g6.xlarge; the code names it.\n" in out
    assert "instance_type=InstanceType.G6_XLARGE,\n" in out


def test_a_model_that_the_engine_cannot_run_has_reasons_instead_of_code():
    falcon = ModelChoice(source="hub", hub_id="tiiuae/falcon-7b")
    migration = moved("vllm", model=falcon, instance=InstanceType.G6E_12XLARGE)
    out = written(migration)
    assert migration.after is None
    assert "vLLM cannot be deployed like that:\n  options.tensor_parallel_size" in out
    assert "tiiuae/falcon-7b has 71 attention heads, which cannot be split evenly over 4 GPUs" in out
    assert "THE CODE" not in out
    assert migrate_json.report("Chat/Llama", NAMED, migration)["code"] is None


@pytest.mark.parametrize("is_terminal", [True, False])
def test_colours_are_for_terminals_alone(run, monkeypatch, is_terminal):
    monkeypatch.setenv("TERM", "xterm")
    out = run("migrate", *QWEN, "--to", "vllm", is_terminal=is_terminal).out
    assert ("\x1b[" in out) is is_terminal


def test_a_pipe_without_unicode_gets_ascii(run):
    out = run("migrate", *QWEN, "--to", "vllm", encoding="ascii").out
    assert out.isascii()
    assert "TGI 3.3.6 -> vLLM 0.30.0" in out
