"""The SVG drawing of the GPUs' memory."""

from xml.etree import ElementTree

import pytest

from constructs_lib.cli.drawing import svg
from constructs_lib.planning.hardware.instance_types import InstanceType
from tests.constructs_lib.cli.sample_plans import fitting, memory, misfit, request

SVG = "{http://www.w3.org/2000/svg}"


def drawn(candidate, **arguments):
    root = ElementTree.fromstring(svg(request(**arguments), candidate))
    assert root.tag == f"{SVG}svg"
    return root


def texts(root):
    return [text.text for text in root.iter(f"{SVG}text")]


def bars(root, fill):
    return [one for one in root.iter(f"{SVG}rect") if one.get("fill") == fill and one.get("height") == "26"]


def test_each_gpu_has_a_bar_to_scale_and_idle_ones_are_dashed():
    root = drawn(fitting(InstanceType.G5_12XLARGE, num_shard=2))
    assert [text for text in texts(root) if text.startswith("GPU ")] == ["GPU 0", "GPU 1", "GPU 2", "GPU 3"]
    assert texts(root).count("idle") == 2
    weights = bars(root, "#2b6cb0")
    assert [float(one.get("width")) for one in weights] == pytest.approx([750 * 8 / 20] * 2)


def test_the_parts_of_a_bar_fill_the_gpu():
    root = drawn(fitting(InstanceType.G6_2XLARGE))
    fills = ("#2b6cb0", "#b83280", "#d69e2e", "#e2e8f0")
    assert sum(float(bars(root, fill)[0].get("width")) for fill in fills) == pytest.approx(750, abs=0.1)


def test_the_legend_has_the_size_of_each_part():
    shown = texts(drawn(fitting(InstanceType.G6_2XLARGE)))
    for size, part in (
        ("8.0 GiB", "weights"),
        ("2.0 GiB", "KV cache of 4 × 8,192 tokens"),
        ("4.0 GiB", "reserved: what TGI leaves unused, CUDA, the largest prefill"),
        ("6.0 GiB", "free for more tokens"),
    ):
        assert shown[shown.index(part) - 1] == size


def test_missing_memory_is_drawn_beyond_the_gpu():
    one = misfit(InstanceType.G6_2XLARGE, "9.0 GiB short on its GPU.", memory=memory(weights=27), num_shard=1)
    root = drawn(one, tokens=4096, concurrency=1)
    shown = texts(root)
    assert "9.0 GiB short on its GPU." in shown
    assert shown[shown.index("does not fit") - 1] == "11.2 GiB"  # 2 GiB of it are what TGI leaves unused
    outline = bars(root, "none")
    assert sum(float(one.get("width")) for one in outline) == pytest.approx(750, abs=0.1)
    assert float(outline[0].get("width")) == pytest.approx(750 * 20 / 31.25, abs=1)


@pytest.mark.parametrize(
    ("instance", "cost"),
    [
        (InstanceType.G6_2XLARGE, "$1.222 an hour"),
        (InstanceType.G6_16XLARGE, "about $4.246 an hour"),
        (InstanceType.P5E_48XLARGE, "no price is published"),
    ],
)
def test_the_price_is_shown_if_it_is_published(instance, cost):
    assert any(text.endswith(f" · {cost}") for text in texts(drawn(fitting(instance))))


def test_names_are_escaped_and_all_text_is_inside_the_drawing():
    root = drawn(misfit(InstanceType.G6_2XLARGE, 'less < more & "so"', memory=memory(), num_shard=1))
    assert 'less < more & "so"' in texts(root)
    height = float(root.get("height"))
    assert all(0 < float(text.get("y")) < height for text in root.iter(f"{SVG}text"))


def test_the_drawing_has_a_text_alternative():
    root = drawn(fitting(InstanceType.G6_2XLARGE))
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == "Memory of tiiuae/falcon-7b on ml.g6.2xlarge"
    assert root.find(f"{SVG}desc").text.startswith("1 GPU of 20.0 GiB: weights 8.0 GiB, KV cache 2.0 GiB")


def test_the_command_writes_it(run, tmp_path):
    file = tmp_path / "memory.svg"
    assert run("plan", "--model", "tiiuae/falcon-7b", "--instance", "g5.xlarge", "--svg", file).status == 0
    assert "Memory of tiiuae/falcon-7b on ml.g5.xlarge" in file.read_text(encoding="utf-8")


def test_an_instance_without_gpus_cannot_be_drawn(run, tmp_path):
    file = tmp_path / "memory.svg"
    outcome = run("plan", "--model", "tiiuae/falcon-7b", "--instance", "ml.inf2.xlarge", "--svg", file)
    assert outcome.status == 1
    assert "there is no GPU memory to draw. Name a GPU instance with --instance." in outcome.err
    assert not file.exists()


def test_an_unwritable_file_is_reported(run, tmp_path):
    outcome = run("plan", "--model", "tiiuae/falcon-7b", "--instance", "ml.g5.xlarge", "--svg", tmp_path)
    assert outcome.status == 1
    assert "cannot be written: Is a directory" in outcome.err
