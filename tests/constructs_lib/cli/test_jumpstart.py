"""The command jumpstart add, against buckets on the loopback interface."""

import json
import socket

import pytest

from constructs_lib.cli import jumpstart_bucket
from constructs_lib.planning.engines.jumpstart.pinned_file import read_pinned
from tests.constructs_lib.cli.fake_bucket import cut_off, fake_buckets, not_at_all, slowly, without_end
from tests.constructs_lib.planning.engines.jumpstart.specs import TGI, open_spec, spec, spec_with_configs

MANIFEST = "/jumpstart-cache-prod-eu-west-1/models_manifest.json"
GATED = (
    "note: Gated: read https://jumpstart-cache-prod-eu-west-1.s3.eu-west-1.amazonaws.com/fmhMetadata/eula/teamEula.txt,"
    " and accept it with JumpStartModel.from_file(…, accept_eula=True).\n"
)
PROXY = "Check the proxy and AWS_ENDPOINT_URL_S3."


@pytest.fixture
def buckets(monkeypatch):
    with fake_buckets() as buckets:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", buckets.url + "/")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield buckets


@pytest.fixture
def file(tmp_path):
    return tmp_path / "llama.json"


@pytest.fixture
def add(run, file):
    def add(*arguments, region="eu-west-1"):
        return run("jumpstart", "add", *arguments, *(("--region", region) if region else ()), "--output", file)

    return add


def test_a_model_is_pinned(buckets, add, file):
    buckets.publish(spec())
    outcome = add("team-llama")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == (
        f"team-llama 2.10.1 added in {file}: {TGI}, instance types ml.g5.12xlarge, ml.g5.2xlarge, ml.g6.12xlarge, of"
        f" which JumpStart takes ml.g5.2xlarge, Regions eu-west-1, licence Team Community License\n{GATED}"
    )
    model = read_pinned(file)
    assert (model.version, model.is_gated) == ("2.10.1", True)
    assert (
        model.source == f"{buckets.url}/jumpstart-cache-prod-eu-west-1/community_models/team-llama/specs_v2.10.1.json"
    )
    assert len(model.date) == 10


def test_the_default_file_has_the_models_name(buckets, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    buckets.publish(open_spec())
    assert " added in team-llama.json: " in run("jumpstart", "add", "team-llama", "--region", "eu-west-1").out
    assert read_pinned(tmp_path / "team-llama.json").model_id == "team-llama"


def test_no_credentials_are_sent(buckets, add, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    buckets.publish(open_spec())
    add("team-llama")
    assert {name for headers in buckets.headers for name in headers} == {
        "Accept-Encoding",
        "Host",
        "User-Agent",
        "Connection",
    }


@pytest.mark.parametrize(
    ("wanted", "version"),
    [(None, "2.10.1"), ("2", "2.10.1"), ("2.9", "2.9.3"), ("2.9.0", "2.9.0"), ("1", "1.0.0")],
)
def test_the_newest_fitting_version_is_taken(buckets, add, file, wanted, version):
    buckets.publish(*(open_spec(version=one) for one in ("2.9.0", "2.10.1", "1.0.0", "2.9.3")))
    outcome = add("team-llama", *(("--version", wanted) if wanted else ()))
    assert read_pinned(file).version == version
    assert ("note: The newest version is 2.10.1.\n" in outcome.out) is (version != "2.10.1")


@pytest.mark.parametrize("wanted", ["2.1", "3", "2.10.1.0", "newest"])
def test_an_unknown_version_lists_the_newest(buckets, add, file, wanted):
    buckets.publish(*(open_spec(version=f"2.{minor}.1") for minor in range(3, 13)))
    outcome = add("team-llama", "--version", wanted)
    assert outcome.status == 1
    assert outcome.err == (
        f"error: --version '{wanted}': is no version of team-llama in eu-west-1. Use one of 2.12.1, 2.11.1, 2.10.1,"
        " 2.9.1, 2.8.1, 2.7.1, 2.6.1, 2.5.1, …, or leave it out for the newest.\n"
    )
    assert not file.exists()


def test_an_unknown_model_names_the_nearest(buckets, add):
    buckets.publish(open_spec(), open_spec(model_id="other-falcon"))
    assert add("team-lama").err == (
        "error: model 'team-lama': is no model of JumpStart in eu-west-1. Did you mean team-llama?\n"
    )
    assert add("xyzzy").err.endswith("SageMaker Studio lists the ids of JumpStart's models.\n")


def test_a_model_of_the_marketplace_is_refused_with_the_reason(buckets, add):
    buckets.publish(open_spec())
    rows = [{"model_id": "vendor-model", "version": "v1", "spec_key": "proprietary-models/vendor-model/v1.json"}]
    buckets.paths["/jumpstart-cache-prod-eu-west-1/proprietary-sdk-manifest.json"] = rows
    outcome = add("vendor-model")
    assert outcome.status == 1
    assert outcome.err == (
        "error: model 'vendor-model': is a model package of AWS Marketplace, which has its own image and settings and"
        " needs a subscription that CloudFormation cannot make. Choose a model with open weights.\n"
    )


def test_a_model_with_a_script_of_its_own_is_refused_with_the_reason(buckets, add, file):
    buckets.publish(open_spec(hosting_use_script_uri=True, hosting_prepacked_artifact_key=None))
    outcome = add("team-llama")
    assert outcome.status == 1
    assert "has its inference code in a file of its own (hosting_script_key)" in outcome.err
    assert not file.exists()


def test_deprecation_and_vulnerabilities_are_told(buckets, add, file):
    buckets.publish(open_spec(deprecated=True, deprecated_message="Use 3.", inference_vulnerabilities=["CVE-2026-1"]))
    outcome = add("team-llama")
    assert outcome.out.endswith(
        "note: AWS has deprecated this model or version: Use 3.\n"
        "note: Its container has known vulnerabilities: CVE-2026-1.\n"
    )
    assert read_pinned(file).deprecated == "Use 3."


def test_a_configuration_and_instance_types_can_be_chosen(buckets, add, file):
    buckets.publish(spec_with_configs())
    outcome = add("team-llama", "--config", "lmi", "--instance-type", "ml.g6.12xlarge")
    assert ": configuration lmi, djl-inference:0.29.0-lmi11.0.0-cu124, instance types ml.g6.12xlarge," in outcome.out
    assert list(read_pinned(file).instance_types) == ["ml.g6.12xlarge"]
    assert "note: The preferred configuration" not in outcome.out
    assert "note: The preferred configuration lmi-optimized is left out: it needs" in add("team-llama").out


def test_a_configuration_that_cannot_be_created_is_refused(buckets, add):
    buckets.publish(spec_with_configs())
    assert "Try --config lmi.\n" in add("team-llama", "--config", "lmi-optimized").err


def test_several_regions_are_pinned_in_one_file(buckets, add, file):
    buckets.publish(open_spec(), regions=("eu-west-1", "cn-north-1"))
    outcome = add("team-llama", "--region", "cn-north-1")
    assert ", Regions cn-north-1, eu-west-1," in outcome.out
    assert read_pinned(file).regions == ("cn-north-1", "eu-west-1")


def test_all_differences_of_regions_are_reported(buckets, add, file):
    buckets.publish(open_spec())
    buckets.publish(open_spec(inference_volume_size=30, hosting_prepacked_artifact_key="b/"), regions=("us-east-1",))
    outcome = add("team-llama", "--region", "us-east-1")
    assert outcome.status == 1
    assert outcome.err.count("error: --region 'eu-west-1': ") == 4
    assert not file.exists()


def test_a_region_that_lacks_the_version_is_reported(buckets, add):
    buckets.publish(open_spec())
    buckets.publish(open_spec(version="2.0.0"), regions=("us-east-1",))
    outcome = add("team-llama", "--region", "us-east-1", region=None)
    assert outcome.status == 0
    outcome = add("team-llama", "--version", "2.10.1")
    assert (
        "--version '2.10.1': is no version of team-llama in us-east-1. Use one of 2.0.0, or leave it out" in outcome.err
    )


def test_another_run_updates_the_file_and_keeps_its_regions(buckets, add, file):
    buckets.publish(open_spec(), regions=("eu-west-1", "us-east-1"))
    add("team-llama")
    before = file.read_text()
    assert " unchanged in " in add("team-llama").out
    assert file.read_text() == before
    assert " updated in " in add("team-llama", region="us-east-1").out
    assert read_pinned(file).regions == ("us-east-1", "eu-west-1")
    buckets.publish(open_spec(version="2.11.0"), regions=("eu-west-1", "us-east-1"))
    add("team-llama", region="us-east-1")
    assert (read_pinned(file).version, read_pinned(file).regions) == ("2.11.0", ("us-east-1", "eu-west-1"))


def test_a_day_on_which_nothing_changes_is_no_change(buckets, add, file):
    buckets.publish(open_spec())
    add("team-llama")
    old = file.read_text().replace(read_pinned(file).date, "2026-01-01")
    file.write_text(old)
    assert " unchanged in " in add("team-llama").out
    assert file.read_text() == old


def test_json_has_the_model_and_the_notices(buckets, add, file):
    buckets.publish(spec())
    report = json.loads(add("team-llama", "--json").out)
    assert (report["file"], report["done"]) == (str(file), "added")
    assert report["notices"] == [GATED.removeprefix("note: ").removesuffix("\n")]
    assert report["model"] == json.loads(file.read_text())


def test_names_in_any_script_are_written_as_they_are(buckets, add, file):
    buckets.publish(open_spec(license="Lizenz für 模型 🦙", hosting_prepacked_artifact_key="team/模型/"))
    outcome = add("team-llama")
    assert outcome.status == 0
    assert outcome.out.endswith("licence Lizenz für 模型 🦙\n")
    assert read_pinned(file).licence == "Lizenz für 模型 🦙"


def test_a_region_without_jumpstart_is_named(buckets, add):
    assert add("team-llama").err == (
        f"error: --region 'eu-west-1': has no models_manifest.json at {buckets.url}/jumpstart-cache-prod-eu-west-1, so"
        " JumpStart is not there. Choose another Region, or check the proxy.\n"
    )


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"<html>\xff", f"url '{{url}}': is not JSON, so something else than S3 has answered. {PROXY}"),
        (b"[" * 100_000, f"url '{{url}}': is not JSON, so something else than S3 has answered. {PROXY}"),
        ({"models": []}, "manifest ({url}): is no list of models. Check the proxy."),
        ([], "manifest ({url}): is no list of models. Check the proxy."),
        ([7, {"model_id": 7}, {"model_id": "a"}], "manifest ({url}): is no list of models. Check the proxy."),
        (500, "url '{url}': could not be read: the answer was 500. Try again later."),
        (429, "url '{url}': could not be read: the answer was 429. Try again later."),
        (418, "url '{url}': could not be read: the answer was 418. Check AWS_ENDPOINT_URL_S3."),
        (cut_off, "url (99 of 1000 bytes): of {url} arrived before the connection closed. Try again."),
    ],
)
def test_an_answer_that_is_no_manifest_is_reported(buckets, add, file, answer, message):
    buckets.paths[MANIFEST] = answer
    outcome = add("team-llama")
    assert outcome.status == 1
    assert outcome.err == f"error: {message.format(url=buckets.url + MANIFEST)}\n"
    assert not file.exists()


def test_an_answer_that_is_too_large_is_given_up(buckets, add, monkeypatch):
    monkeypatch.setattr(jumpstart_bucket, "_MAX_BYTES", 10**6)
    buckets.paths[MANIFEST] = without_end
    assert "is larger than 1000000 bytes. Check the URL." in add("team-llama").err


def test_an_answer_that_comes_too_slowly_is_given_up(buckets, add, monkeypatch):
    monkeypatch.setattr(jumpstart_bucket, "_TOTAL_SECONDS", 0.1)
    buckets.paths[MANIFEST] = slowly
    assert "took longer than 0.1 s to download. Try again later, or check the proxy." in add("team-llama").err


def test_a_bucket_that_stays_silent_is_given_up(buckets, add, monkeypatch):
    monkeypatch.setattr(jumpstart_bucket, "_READ_SECONDS", 0.1)
    buckets.paths[MANIFEST] = not_at_all
    assert "jumpstart-cache-prod-eu-west-1': cannot be reached: timed out. Check the network" in add("team-llama").err


def test_a_bucket_that_cannot_be_reached_is_named(add, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        outcome = add("team-llama")
    assert outcome.status == 1
    assert outcome.err == (
        f"error: bucket '{address}/jumpstart-cache-prod-eu-west-1': cannot be reached: Connection refused. Check the"
        " network and the Region, or name another S3 with AWS_ENDPOINT_URL.\n"
    )


@pytest.mark.parametrize("address", ["ftp://s3", "s3.example", "file:///etc"])
def test_an_s3_that_is_not_a_url_is_rejected(add, monkeypatch, address):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
    assert add("team-llama").err == (
        f"error: AWS_ENDPOINT_URL_S3 '{address}': is not an HTTP URL. Unset AWS_ENDPOINT_URL_S3.\n"
    )


def test_a_specification_that_is_not_there_is_reported(buckets, add):
    buckets.publish(open_spec())
    key = "community_models/team-llama/specs_v2.10.1.json"
    del buckets.paths[buckets.path("eu-west-1", key)]
    assert add("team-llama").err == (
        f"error: model 'team-llama': is in the manifest of eu-west-1 with the specification {key}, which is not there."
        " Try another version, or again later.\n"
    )


@pytest.mark.parametrize("answer", [[], {"model_id": "team-mistral"}, {"model_id": "team-llama", "version": "1"}])
def test_a_specification_of_something_else_is_reported(buckets, add, answer):
    buckets.publish(open_spec())
    key = "community_models/team-llama/specs_v2.10.1.json"
    buckets.paths[buckets.path("eu-west-1", key)] = answer
    assert add("team-llama").err == (
        f"error: specification '{key}': of team-llama 2.10.1 is that of something else. Try another version.\n"
    )


def test_all_usage_errors_are_reported_together(run, tmp_path):
    outcome = run(
        *("jumpstart", "add", "team/llama", "--region", "eu-wst-1", "--region", "moon", "--instance-type", "g5"),
        *("--output", tmp_path / "nope" / "llama.json", "--verison", "2"),
    )
    assert outcome.status == 2
    assert outcome.err.splitlines()[:6] == [
        "error: --verison: is not known. Did you mean --version or --region or --json?",
        "error: '2': is not known. See --help.",
        (
            "error: model 'team/llama': is no id of JumpStart's. Write it as SageMaker Studio shows it, such as"
            " meta-textgeneration-llama-3-1-8b-instruct."
        ),
        "error: --region 'eu-wst-1': is no Region of SageMaker. Did you mean eu-west-1?",
        "error: --region 'moon': is no Region of SageMaker. Write one such as us-east-1.",
        "error: --instance-type 'g5': is not the name of an instance type. Write one such as ml.g5.2xlarge.",
    ]
    assert "its folder does not exist. Create it, or name another file.\n" in outcome.err
    assert "usage: tgi-endpoint jumpstart add" in outcome.err


def test_model_and_region_are_required(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = run("jumpstart", "add")
    assert outcome.status == 2
    assert "error: model: is missing. Give JumpStart's id of a model.\n" in outcome.err
    assert "error: --region: is missing. Give the Region of the endpoint.\n" in outcome.err


def test_a_file_of_another_model_is_left_alone(buckets, add, file):
    buckets.publish(open_spec(), open_spec(model_id="team-mistral"))
    add("team-llama")
    before = file.read_text()
    outcome = add("team-mistral")
    assert outcome.status == 2
    assert f"--output '{file}': pins another model, team-llama. Name another file: each has one model." in outcome.err
    assert file.read_text() == before


def test_a_file_that_is_not_one_of_jumpstarts_is_left_alone(add, file):
    file.write_text('{"name": "package"}')
    outcome = add("team-llama")
    assert outcome.status == 2
    assert f"--output {file}: format 1: is the format that the file must have." in outcome.err
    assert file.read_text() == '{"name": "package"}'


def test_a_file_that_cannot_be_written_is_reported(buckets, run, tmp_path):
    (tmp_path / "llama.json").mkdir()
    buckets.publish(open_spec())
    outcome = run("jumpstart", "add", "team-llama", "--region", "eu-west-1", "--output", tmp_path / "llama.json")
    assert outcome.status == 2
    assert "cannot be read: Is a directory" in outcome.err
