from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import numpy as np
import psycopg
import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from faceweb.settings import base
from recognition.decision.matching import Strategy
from recognition.decision.standing import Bar
from recognition.models import DenyListEntry, FaceSample, FaceTemplate, LegalBasis, ModelPack, Person
from recognition.selectors import gallery, packs
from recognition.selectors.packs import ActivePack
from recognition.vision.errors import PackMismatch
from recognition.vision.types import Embedding
from tests import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["exact", "by sketches"])
def active(request: pytest.FixtureRequest, settings: Settings) -> ActivePack:
    fakes.activated_pack()
    settings.FACEWEB_EXACT_SEARCH_MAX_ROWS = 1_000_000 if request.param == "exact" else -1
    return packs.active()


def found(active: ActivePack, probe: Embedding | None = None) -> list[tuple[str, float]]:
    people = gallery.search(probe or fakes.probe(), active).people
    return [(candidate.person_name, round(candidate.similarity, 4)) for candidate in people]


class TestSearch:
    def test_of_an_empty_gallery_finds_nobody(self, active: ActivePack) -> None:
        assert gallery.search(fakes.probe(), active).best is None

    def test_ranks_people_by_their_best_sample(self, active: ActivePack) -> None:
        fakes.person("Ada", fakes.like_probe(0.2), fakes.like_probe(0.9, axis=2))
        fakes.person("Bob", fakes.like_probe(0.5), fakes.like_probe(0.6, axis=3))
        fakes.person("Eve", fakes.like_probe(-0.4))
        assert found(active) == [("Ada", 0.9), ("Bob", 0.6), ("Eve", -0.4)]

    def test_finds_the_nearest_of_more_people_than_one_search_fetches(self, active: ActivePack) -> None:
        random = np.random.default_rng(2)
        vectors = [Embedding.from_raw(random.normal(size=fakes.DIMENSION), fakes.DIGEST) for _ in range(150)]
        for number, vector in enumerate(vectors):
            fakes.person(f"p{number}", vector)
        for probe in vectors[:3]:  # another probe each time: the query is composed once and must not remember one
            by_similarity = sorted(range(150), key=lambda number: -vectors[number].similarity(probe))
            assert [name for name, _ in found(active, probe)[:5]] == [f"p{number}" for number in by_similarity[:5]]

    def test_names_the_sample_that_was_most_similar(self, active: ActivePack) -> None:
        ada = fakes.person("Ada", fakes.like_probe(0.2), fakes.like_probe(0.9, axis=2))
        best = gallery.search(fakes.probe(), active).best
        assert best is not None
        assert (best.person_id, best.sample_id) == (ada.pk, ada.samples.order_by("pk")[1].pk)

    def test_gives_the_same_similarity_as_comparing_the_two_vectors(self, active: ActivePack) -> None:
        random = np.random.default_rng(1)
        one, other = (Embedding.from_raw(random.normal(size=fakes.DIMENSION), fakes.DIGEST) for _ in range(2))
        fakes.person("Ada", one)
        best = gallery.search(other, active).best
        assert best is not None
        assert best.similarity == pytest.approx(one.similarity(other), abs=1e-6)

    @pytest.mark.parametrize("similarity", [1.0, -1.0])
    def test_reaches_the_ends_of_the_scale(self, active: ActivePack, similarity: float) -> None:
        fakes.person("Ada", fakes.like_probe(similarity))
        assert found(active) == [("Ada", similarity)]

    def test_never_finds_inactive_people_or_samples_set_aside(self, active: ActivePack) -> None:
        fakes.person("Gone", fakes.like_probe(0.99), is_active=False)
        fakes.person("Hidden", fakes.like_probe(0.98)).samples.update(status=FaceSample.Status.SET_ASIDE)
        fakes.person("Ada", fakes.like_probe(0.5))
        assert found(active) == [("Ada", 0.5)]

    def test_finds_the_next_person_though_one_persons_samples_fill_the_list(self, active: ActivePack) -> None:
        fakes.person("Ada", *[fakes.like_probe(0.9, axis=2)] * (gallery.TEMPLATES_PER_SEARCH + 3))
        fakes.person("Bob", fakes.like_probe(0.4))
        candidates = gallery.search(fakes.probe(), active)
        assert [candidate.person_name for candidate in candidates.people] == ["Ada", "Bob"]
        assert candidates.margin == pytest.approx(0.5, abs=1e-6)

    def test_has_no_margin_where_only_one_person_is_enrolled(self, active: ActivePack) -> None:
        fakes.person("Ada", *[fakes.like_probe(0.9)] * gallery.TEMPLATES_PER_SEARCH)
        assert gallery.search(fakes.probe(), active).margin is None

    def test_of_a_claim_compares_with_that_persons_samples_only(self, active: ActivePack) -> None:
        fakes.person("Ada", fakes.like_probe(0.9))
        bob = fakes.person("Bob", fakes.like_probe(0.3), fakes.like_probe(0.4, axis=2))
        people = gallery.compare(fakes.probe(), active, bob.pk).people
        assert [(one.person_name, round(one.similarity, 4)) for one in people] == [("Bob", 0.4)]

    def test_with_a_probe_of_another_pack_is_refused(self, active: ActivePack) -> None:
        with pytest.raises(PackMismatch, match="Embed the probe again"):
            gallery.search(fakes.probe("e" * 64), active)


def with_strategy(active: ActivePack, strategy: Strategy, **numbers: float) -> ActivePack:
    assert active.policy is not None
    return dataclasses.replace(active, policy=dataclasses.replace(active.policy, strategy=strategy, **numbers))  # type: ignore[arg-type]


class TestStrategies:
    def test_of_the_nearest_templates_most_votes_win(self, active: ActivePack) -> None:
        fakes.person("Ada", fakes.like_probe(0.9))
        fakes.person("Bob", *[fakes.like_probe(0.8, axis=axis) for axis in (2, 3, 4)])
        by_votes = gallery.search(fakes.probe(), with_strategy(active, Strategy.K_NEAREST))
        assert [person.person_name for person in by_votes.people] == ["Bob", "Ada"]
        assert by_votes.margin == pytest.approx(-0.1, abs=1e-6)

    def test_of_the_nearest_templates_only_those_at_the_threshold_vote(self, active: ActivePack) -> None:
        fakes.person("Ada", fakes.like_probe(0.9))
        fakes.person("Bob", *[fakes.like_probe(0.4, axis=axis) for axis in (2, 3, 4)])
        by_votes = gallery.search(fakes.probe(), with_strategy(active, Strategy.K_NEAREST))
        assert [person.person_name for person in by_votes.people] == ["Ada", "Bob"]

    def test_of_the_nearest_templates_is_taken_from_the_whole_gallery(self, active: ActivePack) -> None:
        for number in range(20):
            fakes.person(f"p{number}", fakes.like_probe(0.6 + number / 100))
        assert len(gallery.search(fakes.probe(), with_strategy(active, Strategy.K_NEAREST)).people) == 20

    def test_of_means_ranks_people_by_the_mean_of_their_templates(self, active: ActivePack) -> None:
        samples = [fakes.like_probe(0.6, axis=2), fakes.like_probe(0.6, axis=3)]
        ada = fakes.person("Ada", *samples)
        fakes.person("Bob", fakes.like_probe(0.65))
        found = gallery.search(fakes.probe(), with_strategy(active, Strategy.CENTROID))
        mean = Embedding.from_raw(samples[0].vector + samples[1].vector, fakes.DIGEST)
        assert [person.person_name for person in found.people] == ["Ada", "Bob"]
        assert found.people[0].similarity == pytest.approx(mean.similarity(fakes.probe()), abs=1e-6)
        assert found.people[0].sample_id in ada.samples.values_list("pk", flat=True)
        assert found.people[1].similarity == pytest.approx(0.65, abs=1e-6)

    def test_of_means_sees_neither_inactive_people_nor_samples_set_aside(self, active: ActivePack) -> None:
        fakes.person("Gone", fakes.probe(), is_active=False)
        ada = fakes.person("Ada", fakes.probe(), fakes.like_probe(0.5))
        FaceSample.objects.filter(pk=ada.samples.earliest("pk").pk).update(status=FaceSample.Status.SET_ASIDE)
        (person,) = gallery.search(fakes.probe(), with_strategy(active, Strategy.CENTROID)).people
        assert (person.person_name, round(person.similarity, 4)) == ("Ada", 0.5)

    @pytest.mark.parametrize("strategy", Strategy)
    def test_of_an_empty_gallery_find_nobody(self, active: ActivePack, strategy: Strategy) -> None:
        pack = with_strategy(active, strategy)
        for found in (
            gallery.search(fakes.probe(), pack),
            gallery.compare(fakes.probe(), pack, 1),
            gallery.search_denied(fakes.probe(), pack),
        ):
            assert found.people == ()

    def test_of_means_hold_for_claims_too(self, active: ActivePack) -> None:
        ada = fakes.person("Ada", fakes.like_probe(0.6, axis=2), fakes.like_probe(0.6, axis=3))
        by_mean = gallery.compare(fakes.probe(), with_strategy(active, Strategy.CENTROID), ada.pk).best
        by_sample = gallery.compare(fakes.probe(), active, ada.pk).best
        assert by_mean is not None
        assert by_sample is not None
        assert by_mean.similarity > by_sample.similarity + 0.1


DAY = dt.timedelta(days=1)


class TestWhatStandsAgainstAPerson:
    @pytest.mark.parametrize(
        ("changes", "barred"),
        [
            ({}, None),
            ({"is_suspended": True}, Bar.SUSPENDED),
            ({"valid_from": timezone.now() + DAY}, Bar.NOT_YET_VALID),
            ({"valid_until": timezone.now() - DAY}, Bar.NO_LONGER_VALID),
            ({"valid_from": timezone.now() - DAY, "valid_until": timezone.now() + DAY}, None),
            ({"is_suspended": True, "valid_until": timezone.now() - DAY}, Bar.SUSPENDED),
        ],
    )
    @pytest.mark.parametrize("strategy", Strategy)
    def test_is_known_with_the_search(
        self, active: ActivePack, strategy: Strategy, changes: dict[str, Any], barred: Bar | None
    ) -> None:
        ada = fakes.person("Ada", fakes.probe())
        Person.objects.filter(pk=ada.pk).update(**changes)
        pack = with_strategy(active, strategy)
        found, compared = gallery.search(fakes.probe(), pack).best, gallery.compare(fakes.probe(), pack, ada.pk).best
        assert found is not None
        assert compared is not None
        assert (found.barred, compared.barred) == (barred, barred)

    @pytest.mark.parametrize("strategy", Strategy)
    @pytest.mark.parametrize("is_active", [True, False])
    def test_is_the_deny_list_before_all_else_whether_active_or_not(
        self, active: ActivePack, strategy: Strategy, is_active: bool
    ) -> None:
        fakes.person("Ada", fakes.like_probe(0.2, axis=3))
        bob = fakes.person("Bob", fakes.probe(), is_active=is_active)
        Person.objects.filter(pk=bob.pk).update(is_suspended=True)
        DenyListEntry.objects.create(person=bob, reason="x")
        pack = with_strategy(active, strategy)
        found, denied = gallery.search(fakes.probe(), pack), gallery.search_denied(fakes.probe(), pack)
        assert [(person.person_name, person.barred) for person in found.people] == [
            ("Bob", Bar.DENY_LIST),
            ("Ada", None),
        ]
        assert [(person.person_name, person.barred) for person in denied.people] == [("Bob", Bar.DENY_LIST)]


class TestLegalBasis:
    """Where the site demands one, whoever has no valid one is not there."""

    @pytest.mark.parametrize("strategy", list(Strategy))
    def test_only_people_with_one_and_the_denied_are_found(
        self, active: ActivePack, settings: Settings, strategy: Strategy
    ) -> None:
        consenting = fakes.person("Ada", fakes.probe())
        left = fakes.person("Left", fakes.like_probe(0.95), is_active=False)
        for person in (consenting, left):
            LegalBasis.objects.create(person=person, kind="contract", given_at=fakes.NOW)
        withdrawn = fakes.person("Bob", fakes.like_probe(0.9))
        LegalBasis.objects.create(person=withdrawn, kind="contract", given_at=fakes.NOW, withdrawn_at=fakes.NOW)
        denied = fakes.person("Eve", fakes.like_probe(0.8))
        DenyListEntry.objects.create(person=denied, reason="a test")
        chosen = with_strategy(active, strategy)
        assert [name for name, _ in found(chosen)] == ["Ada", "Bob", "Eve"]
        settings.FACEWEB_LEGAL_BASIS = "required"
        assert [name for name, _ in found(chosen)] == ["Ada", "Eve"]
        assert gallery.compare(fakes.probe(), chosen, withdrawn.pk).people == ()
        settings.FACEWEB_LEGAL_BASIS = "optional"
        assert [name for name, _ in found(chosen)] == ["Ada", "Bob", "Eve"]


def test_claims_and_the_deny_list_refuse_a_probe_of_another_pack() -> None:
    fakes.activated_pack()
    with pytest.raises(PackMismatch):
        gallery.compare(fakes.probe("e" * 64), packs.active(), 1)
    with pytest.raises(PackMismatch):
        gallery.search_denied(fakes.probe("e" * 64), packs.active())


def test_templates_of_another_pack_are_not_searched() -> None:
    other = fakes.registered_pack(name="other", digest="e" * 64)
    fakes.activated_pack()
    fakes.person("Ada", fakes.probe(other.digest))
    assert gallery.search(fakes.probe(), packs.active()).people == ()


@pytest.mark.parametrize(("limit", "exact"), [(-1, False), (0, False), (1, False), (2, True), (3, True)])
def test_a_gallery_is_scanned_exactly_up_to_the_limit(settings: Settings, limit: int, exact: bool) -> None:
    fakes.activated_pack()
    fakes.person("Ada", fakes.like_probe(0.1), fakes.like_probe(0.2))
    settings.FACEWEB_EXACT_SEARCH_MAX_ROWS = limit
    assert gallery.is_exact(packs.active()) is exact


class TestPlans:
    """What PostgreSQL really does with the very query that a search sends."""

    ROWS = 5_000  # with fewer, PostgreSQL rightly scans them all

    @pytest.fixture
    def pack(self) -> ModelPack:
        pack = fakes.activated_pack()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO recognition_person "
                "(uid, name, notes, is_active, is_suspended, keeps_photos, pin_hash, created_at) "
                "SELECT gen_random_uuid(), 'p' || n, '', true, false, true, '', now() FROM generate_series(1, %s) n",
                [self.ROWS],
            )
            cursor.execute(
                "INSERT INTO recognition_facesample "
                "(uid, person_id, status, source, pose, quality, doubts, image_sha256, created_at) "
                "SELECT gen_random_uuid(), id, 'active', 'import', '', '{}', '[]', id::text, now() "
                "FROM recognition_person"
            )
            # `sample.id > 0` makes the sub-query a new random vector for every row.
            cursor.execute(
                "INSERT INTO recognition_facetemplate (sample_id, pack_id, embedding) "
                "SELECT id, %s, (SELECT l2_normalize(array_agg(random() - 0.5)::vector) "
                "FROM generate_series(1, %s) WHERE sample.id > 0) FROM recognition_facesample sample",
                [pack.pk, fakes.DIMENSION],
            )
            # Random vectors are no faces: an index may miss the nearest of them, but never a mate.
            mate = FaceTemplate.objects.select_related("sample__person").earliest("pk")
            mate.embedding = fakes.like_probe(0.9999).vector
            mate.save()
            for model in (Person, FaceSample, FaceTemplate):
                cursor.execute(f"ANALYZE {model._meta.db_table}")
        return pack

    def searched(self, person_id: int | None = None) -> tuple[str, list[str]]:
        """The plan of a search's query, and whom the search found."""
        (sql, params), people = self.sent(person_id)
        rows = psycopg.Cursor(connection.connection).execute(f"EXPLAIN {sql}", params).fetchall()
        return "\n".join(row[0] for row in rows), people

    def sent(self, person_id: int | None = None) -> tuple[tuple[str, Any], list[str]]:
        """A search's query with its parameters, and whom the search found."""
        sent: list[tuple[str, Any]] = []

        def remember(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            sent.append((sql, params))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(remember):
            active = packs.active()
            found = (
                gallery.search(fakes.probe(), active)
                if person_id is None
                else gallery.compare(fakes.probe(), active, person_id)
            )
            people = found.people
        query = next((sql, params) for sql, params in sent if "<=>" in sql)
        return query, [candidate.person_name for candidate in people]

    def test_above_the_row_limit_only_the_shortlist_is_compared(self, pack: ModelPack, settings: Settings) -> None:
        settings.FACEWEB_EXACT_SEARCH_MAX_ROWS = self.ROWS - 1
        plan, people = self.searched()
        assert "facetemplate_pkey" in plan
        assert "Seq Scan on recognition_facetemplate" not in plan
        settings.FACEWEB_EXACT_SEARCH_MAX_ROWS = self.ROWS
        exact_plan, nearest = self.searched()
        assert "facetemplate_pkey" not in exact_plan
        assert people[0] == nearest[0] == FaceTemplate.objects.earliest("pk").sample.person.name
        # Random vectors are no faces: all but the mate are about as far away.
        assert len(set(people) & set(nearest)) > 0.5 * gallery.TEMPLATES_PER_SEARCH

    def test_a_kept_plan_compares_only_the_shortlist_too(self, pack: ModelPack, settings: Settings) -> None:
        settings.FACEWEB_EXACT_SEARCH_MAX_ROWS = 0
        connection.connection.prepare_threshold = base.PREPARE_THRESHOLD
        # PostgreSQL chooses between a plan for any parameters and one for these after five runs.
        for _ in range(base.PREPARE_THRESHOLD + 10):
            (_, params), people = self.sent()
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%<=>%'")
            ((name,),) = cursor.fetchall()
            cursor.execute(f"EXPLAIN EXECUTE {name} ({', '.join(['%s'] * len(params))})", params)
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "facetemplate_pkey" in plan
        assert "Seq Scan on recognition_facetemplate" not in plan
        assert people[0] == FaceTemplate.objects.earliest("pk").sample.person.name

    def test_inactive_people_hide_nobody(self, pack: ModelPack, settings: Settings) -> None:
        settings.FACEWEB_EXACT_SEARCH_MAX_ROWS = 0
        last = Person.objects.latest("pk")
        Person.objects.exclude(pk=last.pk).update(is_active=False)
        _, people = self.searched()
        assert people == [last.name]
        _, people = self.searched(person_id=last.pk)
        assert people == [last.name]

    def test_the_deny_list_hides_nobody(self, pack: ModelPack, settings: Settings) -> None:
        settings.FACEWEB_EXACT_SEARCH_MAX_ROWS = 0
        last = Person.objects.latest("pk")
        Person.objects.update(is_active=False)
        DenyListEntry.objects.create(person=last, reason="x")
        _, people = self.searched()
        assert people == [last.name]

    def test_where_a_basis_is_demanded_only_the_shortlist_is_compared_too(
        self, pack: ModelPack, settings: Settings
    ) -> None:
        settings.FACEWEB_EXACT_SEARCH_MAX_ROWS = self.ROWS - 1
        settings.FACEWEB_LEGAL_BASIS = "required"
        LegalBasis.objects.bulk_create(
            LegalBasis(person=person, kind="contract", given_at=fakes.NOW) for person in Person.objects.all()
        )
        with connection.cursor() as cursor:
            # As autovacuum does within a minute: an unknown table is believed to sort out nearly everybody.
            cursor.execute(f"ANALYZE {LegalBasis._meta.db_table}")
        plan, people = self.searched()
        assert "Seq Scan on recognition_facetemplate" not in plan
        assert people
