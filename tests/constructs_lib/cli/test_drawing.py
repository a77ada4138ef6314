"""The picture of the GPUs' memory."""

from xml.etree import ElementTree

import pytest

from constructs_lib.cli.drawing import svg
from constructs_lib.planning.hardware.instance_types import InstanceType
from tests.constructs_lib.cli.sample_plans import asked, fitting, memory, misfit

SVG = "{http://www.w3.org/2000/svg}"


def drawn(one, **ask):
    root = ElementTree.fromstring(svg(asked(**ask), one))
    assert root.tag == f"{SVG}svg"
    return root


def words(root):
    return [text.text for text in root.iter(f"{SVG}text")]


def bars(root, fill):
    return [one for one in root.iter(f"{SVG}rect") if one.get("fill") == fill and one.get("height") == "26"]


def test_each_gpu_has_a_bar_to_scale_and_idle_ones_are_dashed():
    root = drawn(fitting(InstanceType.G5_12XLARGE, num_shard=2))
    assert [word for word in words(root) if word.startswith("GPU ")] == ["GPU 0", "GPU 1", "GPU 2", "GPU 3"]
    assert words(root).count("idle") == 2
    weights = bars(root, "#2b6cb0")
    assert [float(one.get("width")) for one in weights] == pytest.approx([750 * 8 / 20] * 2)


def test_the_parts_of_a_bar_fill_the_gpu():
    root = drawn(fitting(InstanceType.G6_2XLARGE))
    fills = ("#2b6cb0", "#b83280", "#d69e2e", "#e2e8f0")
    assert sum(float(bars(root, fill)[0].get("width")) for fill in fills) == pytest.approx(750, abs=0.1)


def test_the_legend_has_the_size_of_each_part():
    said = words(drawn(fitting(InstanceType.G6_2XLARGE)))
    for size, part in (
        ("8.0 GiB", "weights"),
        ("2.0 GiB", "keys and values of 4 × 8,192 tokens"),
        ("4.0 GiB", "kept back: what TGI leaves free, CUDA, the largest prefill"),
        ("6.0 GiB", "free for more tokens"),
    ):
        assert said[said.index(part) - 1] == size


def test_what_does_not_fit_is_drawn_beyond_the_gpu():
    one = misfit(InstanceType.G6_2XLARGE, "9.0 GiB short on its GPU.", memory=memory(weights=27), num_shard=1)
    root = drawn(one, tokens=4096, concurrency=1)
    said = words(root)
    assert "9.0 GiB short on its GPU." in said
    assert said[said.index("does not fit") - 1] == "9.2 GiB"
    outline = bars(root, "none")
    assert sum(float(one.get("width")) for one in outline) == pytest.approx(750, abs=0.1)
    assert float(outline[0].get("width")) == pytest.approx(750 * 20 / 29.25, abs=1)


@pytest.mark.parametrize(
    ("instance", "cost"),
    [
        (InstanceType.G6_2XLARGE, "$1.222 an hour"),
        (InstanceType.G6_16XLARGE, "about $4.246 an hour"),
        (InstanceType.P5E_48XLARGE, "no price is published"),
    ],
)
def test_the_price_is_told_as_far_as_it_is_known(instance, cost):
    assert any(word.endswith(f" · {cost}") for word in words(drawn(fitting(instance))))


def test_names_are_escaped_and_all_text_stays_inside_of_the_picture():
    root = drawn(misfit(InstanceType.G6_2XLARGE, 'less < more & "so"', memory=memory(), num_shard=1))
    assert 'less < more & "so"' in words(root)
    height = float(root.get("height"))
    assert all(0 < float(text.get("y")) < height for text in root.iter(f"{SVG}text"))


def test_a_picture_is_described_for_those_who_do_not_see_it():
    root = drawn(fitting(InstanceType.G6_2XLARGE))
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == "Memory of tiiuae/falcon-7b on ml.g6.2xlarge"
    assert root.find(f"{SVG}desc").text.startswith("1 GPU of 20.0 GiB: weights 8.0 GiB, keys and values 2.0 GiB")


def test_the_command_writes_it(run, tmp_path):
    file = tmp_path / "memory.svg"
    assert run("plan", "--model", "tiiuae/falcon-7b", "--instance", "g5.xlarge", "--svg", file).status == 0
    assert "Memory of tiiuae/falcon-7b on ml.g5.xlarge" in file.read_text(encoding="utf-8")


def test_where_there_is_no_gpu_there_is_nothing_to_draw(run, tmp_path):
    file = tmp_path / "memory.svg"
    outcome = run("plan", "--model", "tiiuae/falcon-7b", "--instance", "ml.inf2.xlarge", "--svg", file)
    assert outcome.status == 1
    assert "there is no GPU memory to draw. Name a GPU instance with --instance." in outcome.err
    assert not file.exists()


def test_a_file_that_cannot_be_written_is_named(run, tmp_path):
    outcome = run("plan", "--model", "tiiuae/falcon-7b", "--instance", "ml.g5.xlarge", "--svg", tmp_path)
    assert outcome.status == 1
    assert "cannot be written: Is a directory" in outcome.err
