"""The small hub, judged by the client that everybody uses: huggingface_hub."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.errors as errors
import pytest
from huggingface_hub import HfApi, constants, hf_hub_download, snapshot_download

from local.hub import Answer, Cut, Drop, Gzip, Hub, IgnoreRange, Redirect, Repository, WrongBytes, WrongRange

FILES = {
    "config.json": b'{"model_type": "llama"}',
    "model.safetensors": bytes(range(256)) * 400,
    "a folder/ünïcode ✓.txt": b"prose\n",
    "empty.txt": b"",
    **{f"shards/{number:02}.txt": str(number).encode() for number in range(12)},
}
PUBLIC = Repository("team/llama", FILES)
GATED = Repository("meta/gated", {"config.json": b"{}", "model.safetensors": b"weights"}, gated=True)
PRIVATE = Repository("team/private", {"config.json": b"{}"}, private=True)
TOKENS = {"hf_member": {"meta/gated", "team/private"}, "hf_stranger": ()}


@pytest.fixture(autouse=True)
def _plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub([PUBLIC, GATED, PRIVATE], tokens=TOKENS, page_size=5) as hub:
        yield hub


def download(hub: Hub, folder: Path, repository: Repository = PUBLIC, **options: object) -> dict[str, bytes]:
    place = snapshot_download(
        repository.name, **{"revision": repository.commit, "endpoint": hub.url, "local_dir": folder, **options}
    )
    files = (path for path in Path(place).rglob("*") if path.is_file() and ".cache" not in path.parts)
    return {str(path.relative_to(place)): path.read_bytes() for path in files}


def test_the_client_downloads_every_file_of_every_page(hub: Hub, tmp_path: Path) -> None:
    assert download(hub, tmp_path) == FILES


def test_a_branch_leads_to_the_commit(hub: Hub, tmp_path: Path) -> None:
    assert HfApi(endpoint=hub.url).model_info("team/llama", revision="main").sha == PUBLIC.commit
    assert download(hub, tmp_path, revision="main") == FILES


def test_the_client_reads_sizes_and_digests(hub: Hub) -> None:
    info = HfApi(endpoint=hub.url).model_info("team/llama", files_metadata=True)
    found = {one.rfilename: (one.size, one.blob_id, one.lfs and one.lfs.sha256) for one in info.siblings or ()}
    weights, config = PUBLIC.files["model.safetensors"], PUBLIC.files["config.json"]
    assert found["model.safetensors"] == (102400, weights.oid, weights.sha256)
    # What `git hash-object` says of the same bytes.
    assert config.oid == "230d5f4da0da586aad26ead694ea67cd15bd6df1"
    assert found["config.json"] == (23, config.oid, None)
    tree = list(HfApi(endpoint=hub.url).list_repo_tree("team/llama", recursive=True))
    assert len(tree) == len(FILES) + 2  # two folders
    assert [one.blob_id for one in tree if one.path == "config.json"] == [config.oid]


def test_the_client_gives_its_token_to_the_hub_and_not_to_the_cdn(hub: Hub, tmp_path: Path) -> None:
    assert download(hub, tmp_path, GATED, token="hf_member") == GATED.contents
    assert {request.token for request in hub.received if request.on == "hub"} == {"hf_member"}
    assert [request.token for request in hub.received if request.on == "cdn"] == [None]


@pytest.mark.parametrize(
    ("repository", "options", "error"),
    [
        (GATED, {}, errors.GatedRepoError),
        (GATED, {"token": "hf_stranger"}, errors.GatedRepoError),
        (PRIVATE, {"token": "hf_stranger"}, errors.RepositoryNotFoundError),
        (PUBLIC, {"revision": "0" * 40}, errors.RevisionNotFoundError),
        (Repository("no/body", {}), {"token": "hf_stranger"}, errors.RepositoryNotFoundError),
        (PUBLIC, {"token": "hf_wrong"}, errors.HfHubHTTPError),
    ],
)
def test_the_client_understands_each_refusal(hub, tmp_path, repository, options, error) -> None:
    with pytest.raises((OSError, error)) as raised:
        download(hub, tmp_path, repository, **options)
    # The client asks for the revision first, and says that the model is not there because of what the hub said.
    assert error in [type(one) for one in (raised.value, raised.value.__cause__, raised.value.__context__)]


def test_the_client_understands_that_a_file_is_not_there(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(errors.EntryNotFoundError):
        hf_hub_download("team/llama", "no.json", revision=PUBLIC.commit, endpoint=hub.url, local_dir=tmp_path)


def test_the_client_believes_wrong_bytes(hub: Hub, tmp_path: Path) -> None:
    """Why the copier reads the digests itself: over plain HTTP the client compares lengths alone."""
    hub.faults.add(WrongBytes(), on="cdn", path="model.safetensors", times=None)
    found = download(hub, tmp_path)["model.safetensors"]
    assert found != FILES["model.safetensors"]
    assert found[1:] == FILES["model.safetensors"][1:]


def test_the_client_notices_a_cut(hub: Hub, tmp_path: Path) -> None:
    hub.faults.add(Cut(after=1000), on="cdn", path="model.safetensors", times=None)
    with pytest.raises(Exception, match=r"IncompleteRead|connection|Connection"):
        download(hub, tmp_path)


def get(url: str, asked_range: str = "") -> tuple[int, dict[str, str], bytes]:
    class Still(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *arguments: object) -> None:
            return None

    request = urllib.request.Request(url, headers={"Range": asked_range} if asked_range else {})
    try:
        answer = urllib.request.build_opener(Still).open(request, timeout=5)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, dict(answer.headers), answer.read()


@pytest.mark.parametrize(
    ("fault", "status", "headers", "body"),
    [
        (None, 206, {"Content-Range": "bytes 2-5/23"}, b"mode"),
        (IgnoreRange(), 200, {}, FILES["config.json"]),
        (WrongRange(), 206, {"Content-Range": "bytes 3-6/23"}, b"mode"),
        (Answer(429, {"RateLimit": '"api";r=0;t=55'}), 429, {"RateLimit": '"api";r=0;t=55'}, b""),
        (Redirect("/elsewhere", 307), 307, {"Location": "/elsewhere"}, b""),
        (Gzip(), 206, {"Content-Encoding": "gzip"}, None),
    ],
)
def test_each_fault_is_what_it_says(hub: Hub, fault, status: int, headers: dict[str, str], body: bytes | None) -> None:
    url = f"{hub.url}/api/resolve-cache/models/team/llama/{PUBLIC.commit}/config.json"
    if fault:
        hub.faults.add(fault, on="hub", path="config.json")
    found, about, content = get(url, "bytes=2-5")
    assert found == status
    assert headers.items() <= about.items()
    assert body is None or content == body
    assert get(url, "bytes=2-5")[0] == 206, "a fault is for as many answers as it was planned for"


def test_a_dropped_connection_has_no_answer(hub: Hub) -> None:
    hub.faults.add(Drop(), on="hub")
    with pytest.raises(ConnectionError):
        get(f"{hub.url}/api/models/team/llama")


def test_the_cdn_needs_a_signed_url(hub: Hub) -> None:
    assert get(f"{hub.cdn_url}/{PUBLIC.files['model.safetensors'].sha256}")[0] == 403
