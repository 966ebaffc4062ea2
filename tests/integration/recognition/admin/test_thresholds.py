"""The page of measured thresholds: what it says in each state, what it warns of, and its files."""

from __future__ import annotations

import csv
import dataclasses
import json
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from recognition.evaluation import targets
from recognition.evaluation.gallery_scores import BINS, Tally
from recognition.jobs import running, threshold_measurement
from recognition.models import Job, ModelPack, Person
from recognition.selectors import thresholds
from recognition.services import jobs, policies
from tests import fakes

pytestmark = pytest.mark.django_db

PAGE = "/admin/recognition/thresholdpolicy/measured/"


@pytest.fixture(autouse=True)
def pack() -> ModelPack:
    return fakes.activated_pack()


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(fakes.in_role("administrator"))
    return client


def gallery() -> None:
    fakes.person("Ada", fakes.like_probe(1.0), fakes.like_probe(0.9))
    fakes.person("=Bob", fakes.like_probe(0.6, axis=2))


def measure() -> Job:
    job = jobs.request(kind=Job.Kind.THRESHOLDS, parameters={}, actor=None)
    running.run(job.pk, threshold_measurement.measure, should_stop=lambda: False)
    job.refresh_from_db()
    return job


def large(pack: ModelPack) -> None:
    """A measurement of 20,000 strangers, of whom one in 100 is named from 0.5 and one in 1,000 from 0.6."""
    measure()
    job = Job.objects.get()
    counts = {"first": BINS - 501, "counts": [180] + 99 * [0] + [20]}
    tally = {
        **Tally.nothing().as_json(),
        "mated": {"first": 1700, "counts": [500]},
        "non_mated": {"first": 1000, "counts": [999_000] + 599 * [0] + [1_000]},
        "strangers_named": counts,
        "owners_named": {"first": 1700, "counts": [450]},
        "stranger_searches": 20_000,
        "owner_searches": 500,
    }
    Job.objects.update(result={**job.result, "people": 20_000, "samples": 20_000, "tally": tally})


def text_at(client: Client, where: str = PAGE) -> str:
    return re.sub(r"\s+", " ", client.get(where).content.decode())


def as_somebody(account: User) -> Client:
    client = Client()
    client.force_login(account)
    return client


def test_of_too_few_people_nothing_is_measured(administrator: Client) -> None:
    page = text_at(administrator)
    assert "Too few people to measure" in page
    assert "Measure now" not in page
    assert "1 in 100,000" in page, "what the pack publishes"


def test_before_the_first_measurement_it_says_what_one_does(administrator: Client) -> None:
    gallery()
    page = text_at(administrator)
    assert "Not measured yet" in page
    assert "Measure now" in page


def test_a_pack_that_decides_nothing_says_so(administrator: Client, pack: ModelPack) -> None:
    ModelPack.objects.update(operating_points=[])
    assert "Nothing to measure with" in text_at(administrator)
    ModelPack.objects.update(is_active=False)
    assert "No model pack is active" in text_at(administrator)


def test_who_may_not_measure_is_told_who_may() -> None:
    gallery()
    page = text_at(as_somebody(fakes.in_role("auditor")))
    assert "Measure now" not in page
    assert "an administrator may" in page


def test_it_is_asked_for_by_its_button(administrator: Client) -> None:
    gallery()
    address = reverse("admin:recognition_thresholdpolicy_measure")
    assert administrator.get(address).status_code == 405
    assert administrator.post(address).status_code == 302
    assert Job.objects.get().kind == "thresholds"
    page = text_at(administrator)
    assert "The first measurement is under way" in page
    assert "waits for its turn" in page
    administrator.post(address)
    assert "Such a job waits or runs already" in text_at(administrator)


def test_what_was_measured_is_shown_with_its_counts(administrator: Client) -> None:
    gallery()
    measure()
    page = text_at(administrator)
    assert "2 people with 3 samples were compared." in page
    assert "3 samples were searched as strangers'" in page
    assert "2 comparisons of two people" in page
    assert "Too few: there are 2 comparisons of different people, and a rate of 1 in 10,000 takes 300,000" in page
    assert "The gallery, the model pack or the margin has changed" not in page
    assert "similarity 0.600" in page
    assert ">Ada<" in page
    assert "Propose the threshold" not in page


def test_charts_are_given_numbers_and_no_names(administrator: Client) -> None:
    gallery()
    measure()
    response = administrator.get(PAGE)
    for name in ("similarities", "trade_off"):
        chart = response.context[name]
        data = json.loads(chart.data)
        assert all(len(dataset["data"]) > 0 for dataset in data["datasets"])
        assert json.loads(chart.options)["scales"]
    labels = [dataset["label"] for dataset in json.loads(response.context["similarities"].data)["datasets"]]
    assert labels == ["One person", "Two people", "Claims 0.400", "Searches 0.500"]


def test_somebody_who_was_erased_is_shown_as_that(administrator: Client) -> None:
    gallery()
    measure()
    thresholds_before = thresholds.latest()
    assert thresholds_before is not None
    bob = next(iter(thresholds_before.tally.pairs)).people[1]
    Person.objects.get(pk=bob).delete()
    page = text_at(administrator)
    assert "somebody who was erased since" in page
    assert "The gallery, the model pack or the margin has changed since" in page


def test_people_are_shown_only_to_those_who_may_see_them() -> None:
    gallery()
    measure()
    account = fakes.user("view_thresholdpolicy")
    account.is_staff = True
    account.save()
    page = text_at(as_somebody(account))
    assert "You may not see people" in page
    assert "Ada" not in page


def test_another_margin_makes_it_stale(administrator: Client, pack: ModelPack) -> None:
    gallery()
    measure()
    policies.create_version(pack=pack, values={"margin": 0.1}, reason="a test", actor=None)
    assert "has changed since" in text_at(administrator)


def test_a_supported_threshold_is_proposed_with_its_value_filled_in(administrator: Client, pack: ModelPack) -> None:
    large(pack)
    page = text_at(administrator)
    assert "20,000 samples were searched as strangers'" in page
    links = re.findall(r'href="([^"]+add/\?[^"]+)"', page)
    assert any("identification_threshold=0.501" in link for link in links)
    form = administrator.get(next(link for link in links if "identification_threshold=0.501" in link))
    assert form.context["adminform"].form.initial["identification_threshold"] == "0.501"
    assert form.context["adminform"].form.initial["verification_threshold"] == 0.4
    assert "Too few: 20,000 samples were searched as strangers, and a rate of 0.1 % takes 30,000" in page


def test_beside_a_wanted_rate_stands_what_the_pack_publishes_for_as_many_samples(
    administrator: Client, pack: ModelPack
) -> None:
    gallery()
    measure()
    Job.objects.update(result={**Job.objects.get().result, "people": 50, "samples": 100})
    context = administrator.get(PAGE).context
    # Among 100 samples an FMR of 1e-4 names one stranger in 100, and 1e-5 one in 1,000.
    assert {row.wanted: row.published for row in context["searches"]} == {
        "5 %": "0.400",
        "2 %": "0.400",
        "1 %": "0.400",
        "0.5 %": "0.500",
        "0.1 %": "0.500",
    }
    assert {row.wanted: row.published for row in context["claims"]}["1 in 10,000"] == "0.400"


def test_a_gallery_that_has_outgrown_its_threshold_is_warned_of(administrator: Client, pack: ModelPack) -> None:
    large(pack)
    # At 0.5 one comparison in 1,000 matches: that suits ten samples. One stranger in 100 is named as measured.
    (held,) = thresholds.holding(pack, thresholds.latest())
    assert (held.fmr, held.is_of_gallery, held.suits, held.fpir) == (1e-3, True, 10, 0.01)
    assert not held.is_outgrown
    for number in range(6):
        fakes.person(f"person {number}", fakes.probe(), fakes.probe())
    for where in (PAGE, "/admin/recognition/thresholdpolicy/"):
        assert (
            "outgrown the identification threshold 0.500 of version 1: it keeps wrong names of strangers at 1 % up to "
            "10 samples, and 12 are searched, with which about 1.19 %"
        ) in text_at(administrator, where)


@pytest.mark.parametrize(
    ("named", "is_current", "is_outgrown"),
    # Of 20,000 strangers 1 % are 200; 29 errors of 1,000 are too few to tell, so that 12 samples of 10 are too many.
    [
        ((201, 20_000), True, True),
        ((201, 20_000), False, True),
        ((200, 20_000), True, False),
        ((200, 20_000), False, True),
        ((29, 1_000), True, True),
        ((0, 0), True, True),
    ],
)
def test_what_was_measured_decides_where_it_tells(
    pack: ModelPack, named: tuple[int, int], is_current: bool, is_outgrown: bool
) -> None:
    (held,) = thresholds.holding(pack, None)
    rates = (targets.Rate(*named), targets.Rate(0, 1))
    twelve = dataclasses.replace(held, suits=10, samples=12, is_current=is_current, identification=rates)
    assert twelve.is_outgrown is is_outgrown
    assert not dataclasses.replace(held, suits=12, samples=12).is_outgrown


def test_the_measured_rate_is_told_where_it_is_too_high(administrator: Client, pack: ModelPack) -> None:
    large(pack)
    result = Job.objects.get().result
    tally = {**result["tally"], "stranger_searches": 10_000}
    Job.objects.update(result={**result, "tally": tally})
    page = text_at(administrator)
    # 200 of 10,000 strangers are named at 0.5.
    assert "as measured here, it names 2.00 % of all strangers, which is more than 1 %" in page
    assert "fewer samples, as measured here" in page


def test_without_a_measurement_the_pack_says_how_many_samples_a_threshold_suits(
    administrator: Client, pack: ModelPack
) -> None:
    (held,) = thresholds.holding(pack, None)
    assert (held.fmr, held.is_of_gallery, held.suits, held.verification) == (1e-5, False, 1005, None)
    policies.create_version(pack=pack, values={"identification_threshold": 0.1}, reason="a test", actor=None)
    (low,) = thresholds.holding(pack, None)
    # It publishes 1e-3 for 0.3 as its lowest: at 0.1 the rate is that or more, which suits ten samples at most.
    assert (low.fmr, low.is_below_published, low.suits, low.is_outgrown) == (1e-3, True, 10, False)
    fakes.person("Ada", *[fakes.probe()] * 11)
    (low,) = thresholds.holding(pack, None)
    assert low.is_outgrown
    page = text_at(administrator)
    assert "up to 10 samples at most, and 11 are searched, with which about 1.09 % of all strangers or more" in page
    assert "at most 10 samples, by the pack" in page


def test_each_version_in_force_has_its_row(pack: ModelPack, administrator: Client) -> None:
    point = fakes.checkpoint("door")
    policies.create_version(
        pack=pack, values={"identification_threshold": 0.3}, reason="a test", actor=None, checkpoint=point
    )
    site, own = thresholds.holding(pack, None)
    assert (site.policy.checkpoint, own.policy.checkpoint) == (None, point)
    assert own.suits == 10
    assert "10 samples, by the pack" in text_at(administrator)


@pytest.mark.parametrize(
    ("table", "lines"),
    [("similarities", 4), ("det", 5), ("claims", 6), ("searches", 6)],
)
def test_each_table_is_saved_as_a_file(administrator: Client, table: str, lines: int) -> None:
    gallery()
    measure()
    response = administrator.get(f"{PAGE}{table}.csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="faceweb-{table}.csv"'
    rows = list(csv.reader(response.content.decode().splitlines()))
    assert len(rows) == lines
    assert len({len(row) for row in rows}) == 1


def test_a_table_that_there_is_not_is_not_found(administrator: Client) -> None:
    assert administrator.get(f"{PAGE}det.csv").status_code == 404
    gallery()
    measure()
    assert administrator.get(f"{PAGE}other.csv").status_code == 404


def test_the_job_leads_to_the_page(administrator: Client) -> None:
    gallery()
    job = measure()
    assert PAGE in text_at(administrator, reverse("admin:recognition_job_change", args=[job.pk]))
