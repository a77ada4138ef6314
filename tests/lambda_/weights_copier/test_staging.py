"""One commit is copied: what is chosen, verified, kept and listed."""

import json

from tests.lambda_.weights_copier.conftest import FILES, STAGED, WEIGHTS, Cloud, Copier


def test_a_commit_is_copied_and_listed(copier: Copier, cloud: Cloud) -> None:
    outcome = copier.run()
    assert cloud.keys == sorted([*(copier.folder + path for path in STAGED), copier.lock, copier.manifest])
    assert {path: cloud.read(copier.folder + path) for path in STAGED} == {path: FILES[path] for path in STAGED}
    assert outcome.url == f"s3://{cloud.name}/{copier.folder}"
    assert outcome.manifest == f"s3://{cloud.name}/{copier.manifest}"
    assert (outcome.files, outcome.total_bytes) == (4, len(WEIGHTS) + 41)
    assert outcome.copied_bytes == outcome.total_bytes
    assert cloud.uploads == []


def test_the_manifest_has_size_digest_and_etag_of_each_file(copier: Copier, cloud: Cloud) -> None:
    copier.run()
    manifest = json.loads(cloud.read(copier.manifest))
    files = {file.pop("path"): file for file in manifest.pop("files")}
    assert manifest.pop("written")[-1] == "Z"
    assert manifest == {
        "version": 1,
        "repository": "team/llama",
        "revision": copier.repository.commit,
        "include": sorted(copier.request().include),
        "exclude": sorted(copier.request().exclude),
        "total_bytes": len(WEIGHTS) + 41,
    }
    assert sorted(files) == sorted(STAGED)
    weights = copier.repository.files["model.safetensors"]
    etag = cloud.client.head_object(Bucket=cloud.name, Key=copier.folder + "model.safetensors")["ETag"]
    assert files["model.safetensors"] == {"size": len(WEIGHTS), "digest": f"sha256:{weights.sha256}", "etag": etag}
    assert files["config.json"]["digest"] == "git-sha1:230d5f4da0da586aad26ead694ea67cd15bd6df1"


def test_the_digest_is_beside_each_object(copier: Copier, cloud: Cloud) -> None:
    copier.run()

    def metadata(path: str) -> dict[str, str]:
        found: dict[str, str] = cloud.client.head_object(Bucket=cloud.name, Key=copier.folder + path)["Metadata"]
        return found

    assert metadata("model.safetensors") == {"sha256": copier.repository.files["model.safetensors"].sha256}
    assert metadata("config.json") == {"git-sha1": "230d5f4da0da586aad26ead694ea67cd15bd6df1"}


def test_a_second_run_asks_for_the_list_of_files_and_for_nothing_else(copier: Copier, cloud: Cloud) -> None:
    copier.run()
    before = cloud.read(copier.manifest)
    copier.hub.received.clear()
    outcome = copier.run()
    assert outcome.copied_bytes == 0
    assert [request.target.split("?")[0] for request in copier.hub.received] == [
        f"/api/models/team/llama/tree/{copier.repository.commit}"
    ]
    assert cloud.read(copier.manifest) == before


def test_a_file_that_was_finished_is_not_copied_again(copier: Copier, cloud: Cloud) -> None:
    copier.run()
    cloud.client.delete_object(Bucket=cloud.name, Key=copier.manifest)
    cloud.client.delete_object(Bucket=cloud.name, Key=copier.folder + "config.json")
    copier.hub.received.clear()
    outcome = copier.run()
    assert outcome.copied_bytes == 23
    assert not [request for request in copier.hub.received if request.on == "cdn"]
    assert copier.manifest in cloud.keys


def test_a_file_whose_digest_nobody_has_noted_is_copied_again(copier: Copier, cloud: Cloud) -> None:
    cloud.put(copier.folder + "config.json", b'{"model_type": "gpt_2"}')
    assert copier.run().copied_bytes == len(WEIGHTS) + 41
    assert cloud.read(copier.folder + "config.json") == FILES["config.json"]


def test_an_object_that_was_changed_after_the_manifest_is_copied_again(copier: Copier, cloud: Cloud) -> None:
    copier.run()
    cloud.put(copier.folder + "config.json", b'{"model_type": "gpt_2"}')
    assert copier.run().copied_bytes == 23
    assert cloud.read(copier.folder + "config.json") == FILES["config.json"]


def test_a_prefix_comes_before_all_keys(copier: Copier, cloud: Cloud) -> None:
    copier.run(prefix="team-a/")
    assert {key.split("/")[0] for key in cloud.keys} == {"team-a"}
    assert "team-a/" + copier.manifest in cloud.keys


def test_the_token_goes_to_the_hub_and_to_no_other_host(copier: Copier) -> None:
    copier.repository.gated = True
    copier.run(token="hf_member")
    assert {request.token for request in copier.hub.received if request.on == "hub"} == {"hf_member"}
    assert {request.token for request in copier.hub.received if request.on == "cdn"} == {None}
    assert "hf_member" not in "\n".join(copier.lines)


def test_a_list_of_files_has_several_pages(hub_with, cloud: Cloud) -> None:
    files = {f"part-{number:02}.json": b"{}" for number in range(11)} | {"model.safetensors": b"weights"}
    copier = hub_with(files, page_size=4)
    assert copier.run().files == 12
    assert sum("/tree/" in request.target for request in copier.hub.received) == 3


def test_the_log_says_how_fast_it_goes_and_what_is_verified(copier: Copier) -> None:
    copier.run()
    assert copier.lines[0] == "4 files, 0.6 MB"
    finished = [line for line in copier.lines if "verified" in line]
    assert [line.split(" verified; ")[0] for line in finished] == [
        "special ünïcode ✓/empty.txt: 0.0 MB",
        "tokenizer.json: 0.0 MB",
        "config.json: 0.0 MB",
        "model.safetensors: 0.6 MB",
    ]
    assert finished[-1].split("; ")[1].startswith("4 of 4 files, ")
    assert finished[-1].endswith(" MB/s")
