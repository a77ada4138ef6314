"""Where the weights come from, and what is known about them."""

from dataclasses import replace

import pytest

from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice, known_model, known_models
from constructs_lib.planning.request import UNDECIDED
from constructs_lib.planning.validation.unknown import Unknown

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
UNCHECKED = "neither memory, shards and context nor whether the image can run it"


def hub(hub_id="team/my-llama", **more):
    return ModelChoice(source="hub", hub_id=hub_id, **more)


def s3(**more):
    return ModelChoice(source="s3", **more)


def message(plan, warning_id):
    (found,) = [warning.message for warning in plan.warnings if warning.id == f"tgi-endpoint:{warning_id}"]
    return found


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            hub("me/my-llama-3.1-8b-instruct"),
            (
                f"me/my-llama-3.1-8b-instruct is not in the catalogue, so nothing was checked for it: {UNCHECKED}."
                f" Did you mean {LLAMA}? Read its shape with `tgi-endpoint models add me/my-llama-3.1-8b-instruct` and"
                " pass facts=…, or name a model of the same shape, such as the base model of a fine-tune:"
                f" Model.from_hub(…, like='{LLAMA}')."
            ),
        ),
        (
            s3(hub_id="me/mine", is_archive=True),
            (
                f"me/mine is not in the catalogue, so nothing was checked for it: {UNCHECKED}."
                " Read its shape with `tgi-endpoint models add me/mine` and"
                " pass facts=…, or name a model of the same shape, such as the base model of a fine-tune:"
                f" Model.from_s3_archive(…, like='{LLAMA}')."
            ),
        ),
        (
            s3(),
            (
                f"The shape of these weights is not known, so nothing was checked for them: {UNCHECKED}. Describe them:"
                " Model.from_s3(…, model_id=… (what they are a copy of), like=… (a model of the same shape) or"
                " facts=ModelFacts(…))."
            ),
        ),
        (
            hub(Unknown("<id>")),
            (
                f"The shape of these weights is not known, so nothing was checked for them: {UNCHECKED}. Describe them:"
                " Model.from_hub(…, model_id=… (what they are a copy of), like=… (a model of the same shape) or"
                " facts=ModelFacts(…))."
            ),
        ),
    ],
)
def test_weights_for_which_nothing_is_checked_bring_a_warning(model, words, planning):
    assert message(planning(model=model), "unknownModel") == words


@pytest.mark.parametrize(
    "model",
    [
        hub(LLAMA, has_token=True),
        hub(like=LLAMA),
        hub(facts=replace(known_model(LLAMA), hub_id="team/my-llama", gating="no")),
        s3(hub_id=LLAMA),
        s3(like=LLAMA.lower()),
        hub(like=Unknown("<like>")),
    ],
)
def test_weights_of_which_the_shape_is_given_bring_none(model, warnings):
    assert warnings(model=model) == []


def test_weights_are_planned_like_the_model_that_they_are_like(planning):
    own, base = planning(model=hub(like=LLAMA)), planning(hub_id=LLAMA)
    assert (own.memory, own.startup_timeout_seconds) == (base.memory, base.startup_timeout_seconds)
    assert own.environment["HF_MODEL_ID"] == "team/my-llama"


@pytest.mark.parametrize(
    ("model", "hub_id"),
    [(hub(like=LLAMA), "team/my-llama"), (s3(like=LLAMA), LLAMA), (s3(hub_id="a/b", like=LLAMA), "a/b")],
)
def test_shape_alone_is_taken_over(model, hub_id):
    facts, base = model.known_facts(), known_model(LLAMA)
    assert facts == replace(base, hub_id=hub_id, licence="not known", gating="no")
    assert base.gating == "yes"


def test_what_the_catalogue_knows_of_the_weights_themselves_wins():
    assert hub("Qwen/Qwen2.5-7B-Instruct", like=LLAMA).known_facts() is known_model("Qwen/Qwen2.5-7B-Instruct")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            hub(like="meta-llama/Lama-3.1-8B-Instruct"),
            (
                "model.like='meta-llama/Lama-3.1-8B-Instruct': is not in the catalogue. Did you mean"
                f" '{LLAMA}'? Otherwise read its shape with `tgi-endpoint models add"
                " meta-llama/Lama-3.1-8B-Instruct` and pass facts=…."
            ),
        ),
        (
            s3(like="me/mine"),
            (
                "model.like='me/mine': is not in the catalogue. Read its shape with `tgi-endpoint models add me/mine`"
                " and pass facts=…."
            ),
        ),
        (
            hub(like=""),
            "model.like='': must not be empty. Leave it out, or write the hub id of a known model.",
        ),
        (
            hub(like=5),
            (f"model.like=5: must be the hub id of a model in the catalogue, not int. Write like='{LLAMA}'."),
        ),
        (
            hub(like=LLAMA, facts=replace(known_model(LLAMA), gating="no")),
            (
                f"model.like='{LLAMA}': is given together with facts, and both describe the shape of the weights."
                " Leave out one of the two."
            ),
        ),
        (
            s3(like=LLAMA, accept_eula="yes"),
            "model.accept_eula='yes': must be True or False, not str. Give a bool, or leave it out.",
        ),
    ],
)
def test_what_is_wrong_with_a_description_is_reported(model, words, refusals):
    assert refusals(model=model) == [words]


def test_the_licence_of_the_base_model_is_named_if_it_binds_what_was_made_from_it(planning):
    base = next(facts for facts in known_models() if "-nc" in facts.licence)
    plan = planning(model=hub(like=base.hub_id), instance=InstanceType.P5_48XLARGE)
    assert message(plan, "nonCommercialLicence") == (
        f"The licence of {base.hub_id} ({base.licence}) does not allow commercial use, which binds weights that were"
        " made from it as well."
    )


@pytest.mark.parametrize("kind", ["awq", "gptq", "marlin", "exl2", "compressed-tensors"])
@pytest.mark.parametrize("model", [hub(like=LLAMA), s3(like=LLAMA), s3(hub_id=LLAMA)])
def test_weights_of_ones_own_may_be_compressed_as_the_options_say(model, kind, planning):
    plan = planning(model=model, options={"quantize": kind})
    assert plan.problems == ()
    assert plan.memory.download < planning(model=model).memory.download
    assert plan.memory.weights < planning(model=model).memory.weights


def test_weights_of_the_catalogue_are_compressed_as_they_were_published(refusals):
    (found,) = refusals(model=hub("Qwen/Qwen2.5-7B-Instruct", like=LLAMA), options={"quantize": "awq"})
    assert found.startswith("options.quantize='awq': needs weights that were published in that format")


def test_facts_say_how_weights_are_compressed(refusals):
    (found,) = refusals(model=s3(facts=known_model(LLAMA)), options={"quantize": "awq"})
    assert found.startswith("options.quantize='awq': needs weights that were published in that format")


def test_the_cheapest_instance_is_chosen_for_the_compressed_weights(planning):
    load = {"instance": UNDECIDED, "cheapest": InstanceType.cheapest_for(tokens=8192), "model": s3(like=LLAMA)}
    whole, awq = planning(**load), planning(**load, options={"quantize": "awq"})
    assert awq.problems == ()
    assert awq.instance.price_usd_per_hour < whole.instance.price_usd_per_hour


@pytest.mark.parametrize(
    ("bucket", "more", "words"),
    [
        ("jumpstart-private-cache-prod-eu-west-1", {"accept_eula": True}, []),
        (
            "jumpstart-private-cache-prod-eu-west-1",
            {},
            [
                (
                    "model.accept_eula=False: jumpstart-private-cache-prod-eu-west-1 has gated models, which SageMaker"
                    " hands out only if their licence is accepted. Read its licence agreement, and accept it with"
                    " accept_eula=True."
                )
            ],
        ),
        (
            "jumpstart-private-cache-prod-us-west-2",
            {"accept_eula": True},
            [
                (
                    "model.bucket='jumpstart-private-cache-prod-us-west-2': is in us-west-2; SageMaker reads weights"
                    " from the endpoint's own Region, eu-west-1, only. Use jumpstart-private-cache-prod-eu-west-1."
                )
            ],
        ),
        (
            "jumpstart-cache-prod-us-west-2",
            {"accept_eula": True},
            [
                (
                    "model.bucket='jumpstart-cache-prod-us-west-2': is in us-west-2; SageMaker reads weights from the"
                    " endpoint's own Region, eu-west-1, only. Use jumpstart-cache-prod-eu-west-1."
                )
            ],
        ),
        ("team-weights", {}, []),
        (Unknown("<bucket>"), {}, []),
    ],
)
def test_a_bucket_of_jumpstart_is_recognized_by_its_name(bucket, more, words, refusals):
    assert refusals(model=s3(bucket=bucket, like=LLAMA, **more), region="eu-west-1") == words


def test_a_region_that_is_not_known_is_not_compared(refusals):
    model = s3(bucket="jumpstart-cache-prod-us-west-2", like=LLAMA)
    assert refusals(model=model, region=None) == []


@pytest.mark.parametrize(
    ("hub_id", "accept_eula", "ids"),
    [
        (LLAMA, False, ["tgi-endpoint:eulaNotAccepted"]),
        (LLAMA, True, []),
        ("Qwen/Qwen2.5-7B-Instruct", False, []),
    ],
)
def test_a_gated_model_in_jumpstarts_public_bucket_brings_a_warning(hub_id, accept_eula, ids, warnings):
    model = s3(bucket="jumpstart-cache-prod-eu-west-1", hub_id=hub_id, accept_eula=accept_eula)
    assert warnings(model=model, region="eu-west-1") == ids


def test_an_archive_needs_storage_for_its_contents_as_well(refusals, planning):
    falcon = {"facts": known_model("tiiuae/falcon-40b")}  # 78 GiB
    small = replace(InstanceType.G6_12XLARGE, nvme_gb=150)
    assert refusals(model=s3(**falcon), instance=small) == []
    (found,) = refusals(model=s3(**falcon, is_archive=True), instance=small)
    assert "the archive and its contents are 154 GiB, but it has 140 GiB of storage." in found


def test_a_volume_for_an_archive_is_raised_to_twice_the_weights(planning):
    own = InstanceType.of("ml.g9.12xlarge", accelerator_count=4, memory_gib=80, compute_capability=(8, 0))
    own = replace(own, volume_configurable=True)
    model = s3(facts=known_model("tiiuae/falcon-40b"), is_archive=True)
    (found,) = planning(model=model, instance=own, volume_size_gib=100).problems
    assert (found.keyword, found.fix) == ("volume_size", "Raise it to 162 GiB or more.")


def test_the_cheapest_instance_for_an_archive_has_room_for_it(planning):
    load = {"instance": UNDECIDED, "cheapest": InstanceType.cheapest_for(tokens=2048)}
    facts = replace(known_model(LLAMA), weight_bytes=200 * 10**9)
    folder, archive = planning(**load, model=s3(facts=facts)), planning(**load, model=s3(facts=facts, is_archive=True))
    assert (folder.instance.nvme_gb, archive.instance.nvme_gb) == (250, 450)
