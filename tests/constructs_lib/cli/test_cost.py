"""The command cost, with cloud assemblies written by the CDK."""

import json
import re

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack, Stage

from constructs_lib import FrontDoor, InstanceType, Model, TgiEndpoint
from constructs_lib.planning.cost import streams_usd_per_hour

FALCON = "tiiuae/falcon-7b"
SMALL, LARGE = InstanceType.G5_2XLARGE, InstanceType.G6E_XLARGE
DOOR = streams_usd_per_hour(128, 256)
LEGEND = "FRONT DOOR: $ / hour while as many streams are open as the endpoints serve; nothing while none is"


def endpoint(stack, name="E", *, instance_type=SMALL, model=FALCON, **options):
    weights = Model.from_hub(model) if isinstance(model, str) else model
    return TgiEndpoint(stack, name, model=weights, instance_type=instance_type, **options)


@pytest.fixture(scope="module")
def synth(tmp_path_factory):
    """Writes an assembly with what a function puts into an app."""

    def synth(fill):
        folder = tmp_path_factory.mktemp("cost") / "cdk.out"
        app = App(outdir=str(folder))
        fill(app)
        app.synth()
        return folder

    return synth


@pytest.fixture(scope="module")
def before(synth):
    def fill(app):
        endpoint(Stack(app, "Chat"))
        endpoint(Stack(app, "Old"))
        endpoint(Stack(app, "Same"))

    return synth(fill)


@pytest.fixture(scope="module")
def after(synth):
    def fill(app):
        chat = Stack(app, "Chat")
        endpoint(chat, instance_type=LARGE).set_capacity_range(1, 3)
        stack = Stack(app, "New")
        FrontDoor(stack, "Api", models={"falcon": endpoint(stack)})
        endpoint(Stack(app, "Same"))

    return synth(fill)


def test_each_stack_costs_its_instances_and_the_front_door_beside_them(run, after):
    outcome = run("cost", after)
    assert outcome.status == 0
    assert outcome.out.splitlines() == [
        "STACK       INSTANCES                $ / HOUR    $ / MONTH  FRONT DOOR",
        "Chat        1–3 × ml.g6e.xlarge   2.605–7.816  1,902–5,706           -",
        "New         ml.g5.2xlarge               1.515        1,106       1.707",
        "Same        ml.g5.2xlarge               1.515        1,106           -",
        "all stacks                       5.635–10.846  4,114–7,918       1.707",
        "",
        LEGEND,
    ]


def test_a_single_stack_has_no_sum_and_its_endpoints_are_added(run, synth):
    def fill(app):
        stack = Stack(app, "Two")
        endpoint(stack, "A")
        endpoint(stack, "B", instance_type=InstanceType.G6E_16XLARGE, instance_count=2)

    _titles, row, *rest = run("cost", synth(fill)).out.splitlines()
    assert row == "Two    ml.g5.2xlarge + 2 × ml.g6e.16xlarge   ~20.457    ~14,934           -"
    assert rest == ["", LEGEND]


def test_the_costs_as_json(run, after):
    found = json.loads(run("cost", after, "--json").out)
    chat, new, _ = found["stacks"]
    assert chat["stack"] == "Chat"
    assert [chat[name] for name in ("min_usd_per_hour", "max_usd_per_hour")] == [2.6054, 7.8162]
    assert [chat[name] for name in ("min_usd_per_month", "max_usd_per_month")] == [1901.942, 5705.826]
    assert new["front_door_usd_per_hour"] == pytest.approx(DOOR, abs=1e-5)
    assert new["front_door_usd_per_month"] == pytest.approx(730 * DOOR, abs=1e-5)
    (only,) = new["endpoints"]
    assert (only["path"], only["model"], only["instances"]) == ("New/E", FALCON, ["ml.g5.2xlarge"])
    assert found["total"]["max_usd_per_month"] == pytest.approx(730 * 10.8462)
    assert (found["total"]["price_is_derived"], found["unpriced"]) == (False, [])


def test_the_change_against_another_assembly(run, before, after):
    outcome = run("cost", after, "--compare", before)
    assert outcome.status == 0
    assert [re.sub(" {2,}", "  ", line) for line in outcome.out.splitlines()] == [
        "The instances cost +796 USD a month at the smallest capacity, +4,600 USD at the largest.",
        "",
        "STACK  INSTANCES  $ / HOUR  CHANGE  $ / MONTH  CHANGE  FRONT DOOR",
        (
            "Chat  ml.g5.2xlarge → 1–3 × ml.g6e.xlarge  1.515 → 2.605–7.816  +1.090 to +6.301  1,106 → 1,902–5,706"
            "  +796 to +4,600  -"
        ),
        "New  new → ml.g5.2xlarge  1.515  +1.515  1,106  +1,106  1.707",
        "Old  ml.g5.2xlarge → removed  1.515  -1.515  1,106  -1,106  -",
        "",
        LEGEND,
        "1 stack costs what it did.",
    ]


def test_the_change_as_json(run, before, after):
    found = json.loads(run("cost", after, "--compare", before, "--json").out)
    by_name = {each["stack"]: each for each in found["stacks"]}
    assert {name: each["is_change"] for name, each in by_name.items()} == {
        "Chat": True,
        "New": True,
        "Old": True,
        "Same": False,
    }
    assert by_name["Chat"]["change"]["max_usd_per_hour"] == 6.3012
    assert by_name["New"]["before"] is None
    assert by_name["New"]["change"]["front_door_usd_per_hour"] == pytest.approx(DOOR, abs=1e-5)
    assert by_name["Old"]["after"] is None
    assert by_name["Old"]["change"]["min_usd_per_month"] == -1105.95
    total = found["total"]
    assert total["change"]["max_usd_per_hour"] == 6.3012
    assert total["after"]["max_usd_per_hour"] - total["before"]["max_usd_per_hour"] == pytest.approx(6.3012)


def test_the_change_as_markdown(run, before, after):
    head, _, *table, _, note = run("cost", after, "--compare", before, "--markdown").out.splitlines()
    assert head == "**The instances cost +796 USD a month at the smallest capacity, +4,600 USD at the largest.**"
    assert table == [
        "| stack | instances | USD per hour | change | USD per month | change | front door, USD per hour |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
        (
            "| Chat | ml.g5.2xlarge → 1–3 × ml.g6e.xlarge | 1.515 → 2.605–7.816 | +1.090 to +6.301 |"
            " 1,106 → 1,902–5,706 | +796 to +4,600 | - |"
        ),
        "| New | new → ml.g5.2xlarge | 1.515 | +1.515 | 1,106 | +1,106 | 1.707 |",
        "| Old | ml.g5.2xlarge → removed | 1.515 | -1.515 | 1,106 | -1,106 | - |",
    ]
    assert note.startswith("Prices on demand in us-east-1, at the smallest and the largest capacity;")


def test_the_costs_as_markdown(run, after):
    table = run("cost", after, "--markdown").out.splitlines()
    assert table[0] == "| stack | instances | USD per hour | USD per month | front door, USD per hour |"
    assert table[2] == "| Chat | 1–3 × ml.g6e.xlarge | 2.605–7.816 | 1,902–5,706 | - |"
    assert table[5] == "| **all stacks** |  | **5.635–10.846** | **4,114–7,918** | **1.707** |"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ((), "The price of the instances does not change.\n3 stacks cost what they did.\n"),
        (("--markdown",), "**The price of the instances does not change.**\n"),
    ],
)
def test_an_assembly_that_costs_the_same_is_said_in_a_sentence(run, before, form, said):
    assert run("cost", before, "--compare", before, *form).out == said


@pytest.mark.parametrize(
    ("options", "words"), [({}, "1,106 USD a month less"), ({"instance_count": 3}, "1,106 USD a month more")]
)
def test_one_figure_is_said_as_one(run, synth, options, words):
    two = synth(lambda app: endpoint(Stack(app, "S"), instance_count=2))
    other = synth(lambda app: endpoint(Stack(app, "S"), **options))
    assert run("cost", other, "--compare", two).out.startswith(f"The instances cost {words}.\n")


def test_another_instance_type_at_the_same_price_is_a_change(run, synth):
    def fill(app, kind):
        endpoint(Stack(app, "S"), instance_type=kind)

    same = [kind for kind in InstanceType.all() if kind.price_usd_per_hour == LARGE.price_usd_per_hour]
    assert same == [LARGE], "write this test with two instance types of one price, now that there are such"
    one, other = synth(lambda app: fill(app, SMALL)), synth(lambda app: fill(app, SMALL))
    path = next(other.glob("*.metadata.json"))
    path.write_text(path.read_text().replace('"ml.g5.2xlarge"', '"ml.g9.2xlarge"'))
    out = run("cost", other, "--compare", one).out
    assert "S      ml.g5.2xlarge → ml.g9.2xlarge     1.515       0      1,106       0           -" in out


def test_stacks_of_one_name_are_told_apart_by_where_they_are(run, synth):
    def fill(app):
        for region in ("eu-west-1", "us-east-1"):
            place = Environment(account="111122223333", region=region)
            stage = Stage(app, region, env=place)
            endpoint(Stack(stage, "S", stack_name="Chat"))

    found = json.loads(run("cost", synth(fill), "--json").out)
    assert [each["stack"] for each in found["stacks"]] == [
        "Chat (111122223333/eu-west-1)",
        "Chat (111122223333/us-east-1)",
    ]


@pytest.fixture(scope="module")
def unpriced(synth):
    def fill(app):
        stack = Stack(app, "Chat")
        count = CfnParameter(stack, "Count", type="Number").value_as_number
        endpoint(stack, instance_count=count)
        endpoint(Stack(app, "Same"))

    return synth(fill)


NOT_COUNTED = (
    "Not counted: Chat: no price is published for an instance type, or only the deployment knows how many instances"
    " there are."
)


def test_a_price_that_synth_does_not_know_is_not_counted_and_said(run, unpriced, before):
    out = run("cost", unpriced).out.splitlines()
    assert out[1] == "Chat        ? × ml.g5.2xlarge         -          -           ?"
    assert out[3] == "all stacks                        1.515      1,106           -"
    assert out[-1] == NOT_COUNTED
    assert json.loads(run("cost", unpriced, "--json").out)["unpriced"] == ["Chat"]
    compared = json.loads(run("cost", unpriced, "--compare", before, "--json").out)
    assert compared["unpriced"] == ["Chat"]
    assert compared["total"]["change"]["max_usd_per_hour"] == -1.515
    assert NOT_COUNTED in run("cost", unpriced, "--compare", before).out
    assert NOT_COUNTED in run("cost", unpriced, "--compare", before, "--markdown").out


def test_a_front_door_of_a_model_of_unknown_size_has_no_price(run, synth):
    def fill(app):
        stack = Stack(app, "S")
        one = endpoint(stack, model=Model.from_hub("my-team/unknown"))
        FrontDoor(stack, "Api", models={"one": one})

    assert run("cost", synth(fill)).out.splitlines()[1].endswith("1.515      1,106           ?")


@pytest.mark.parametrize(("limit", "status"), [("7918", 0), ("7917", 1), ("7917.8", 0), ("0", 1)])
def test_a_limit_holds_the_largest_capacity(run, after, limit, status):
    outcome = run("cost", after, "--max-usd-per-month", limit)
    assert outcome.status == status
    assert outcome.out.startswith("STACK")
    if status:
        assert outcome.err == (
            f"error: --max-usd-per-month '{limit}': the instances cost 7,918 USD a month at their largest capacity."
            " Lower the capacity, or raise the limit.\n"
        )


def test_a_limit_is_not_kept_if_a_price_is_not_known(run, unpriced):
    outcome = run("cost", unpriced, "--max-usd-per-month", 100_000)
    assert outcome.status == 1
    assert outcome.err == "error: Chat: its price is not known, so no limit can be held. Leave the limit out.\n"


@pytest.mark.parametrize("limit", ["much", "-1", "nan", "inf", ""])
def test_a_limit_must_be_a_number(run, limit):
    outcome = run("cost", "nowhere", "--max-usd-per-month", limit)
    assert outcome.status == 2
    assert f"--max-usd-per-month {limit!r}: must be a number of US dollars. Write it as 5000." in outcome.err


@pytest.mark.parametrize("form", [(), ("--markdown",), ("--json",)])
def test_an_assembly_without_endpoints_costs_nothing(run, tmp_path, form):
    (tmp_path / "manifest.json").write_text('{"artifacts": {}}')
    outcome = run("cost", tmp_path, *form)
    assert outcome.status == 0
    if form == ("--json",):
        assert json.loads(outcome.out)["total"]["max_usd_per_month"] == 0
    else:
        assert outcome.out in ("No stack has a model endpoint.\n", f"{tmp_path} has no model endpoint.\n")


def test_a_folder_that_is_not_an_assembly_is_reported_on_either_side(run, before, tmp_path):
    for arguments in ((tmp_path / "no",), (before, "--compare", tmp_path / "no")):
        outcome = run("cost", *arguments)
        assert (outcome.status, outcome.out) == (1, "")
        assert "no/manifest.json: cannot be read: No such file or directory. Run cdk synth first" in outcome.err


def test_json_and_markdown_exclude_each_other(run, before):
    outcome = run("cost", before, "--json", "--markdown")
    assert outcome.status == 2
    assert "not allowed with argument" in outcome.err
