"""Vector search: whose enrolled face is most like this one, and what is known against them."""

from __future__ import annotations

import enum
import functools
from typing import Any

import numpy as np
import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Avg, BooleanField, Case, CharField, F, FloatField, Min, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Now
from numpy.typing import NDArray
from pgvector import Vector
from pgvector.django import CosineDistance, VectorField

from recognition import conf
from recognition.decision import matching
from recognition.decision.doubts import Neighbour
from recognition.decision.matching import Candidate, CandidateList, Strategy
from recognition.decision.standing import Bar
from recognition.models import FaceSample, FaceTemplate
from recognition.selectors import classifiers, sketched
from recognition.selectors.packs import ActivePack
from recognition.selectors.people import has_valid_basis
from recognition.vision.errors import PackMismatch
from recognition.vision.types import Embedding

TEMPLATES_PER_SEARCH = 64
"""Nearest templates fetched a search: enough for five people with a dozen samples each."""

SHORTLISTS = TEMPLATES_PER_SEARCH, 1024
"""Templates that PostgreSQL compares with a probe in a large gallery: the nearest by their rough copies (ADR 13). The
longer list is for the rare probe whose nearest ones are all of one person, or of nobody who is searched."""


class _Among(enum.Enum):
    """Whose templates are searched."""

    EVERYONE = enum.auto()
    DENIED = enum.auto()
    ONE_PERSON = enum.auto()
    ALL_BUT_ONE = enum.auto()
    ONE_WHOEVER = enum.auto()


_PROBE, _PERSON, _SHORTLISTED = "[the probe]", -1, "[the shortlist]"
"""Stand in a composed query where a search's own values go; no other parameter is equal to them."""


def search(embedding: Embedding, pack: ActivePack, *, exact: bool | None = None) -> CandidateList:
    """Ranks the enrolled people by similarity to a probe, the way the pack's policy asks for.

    A person's mean (`Strategy.CENTROID`) is computed of all templates for each search, so it is always
    exact, and its cost grows with the gallery: see docs/architecture.md.

    Args:
        embedding: the probe.
        pack: the pack whose templates are searched, and the policy.
        exact: what `is_exact` said a moment ago; asked again when left out.

    Returns:
        One candidate a person, with what stands against them now and what a classifier objects, where the policy
        asks one; empty when nobody is enrolled. All similarities are exact; whether nobody is missing, see `is_exact`.

    Raises:
        PackMismatch: when the probe was made by another pack.
    """
    _require_same_pack(embedding, pack)
    strategy = _strategy(pack)
    if strategy is Strategy.CENTROID:
        return matching.centroid(_found(embedding, pack, _Among.EVERYONE))
    exact = is_exact(pack) if exact is None else exact
    hits: list[Candidate] = []
    for shortlist in _shortlists(exact=exact):
        hits = _found(embedding, pack, _Among.EVERYONE, shortlist=shortlist)
        if len({hit.person_id for hit in hits}) > 1:
            break
    if len(hits) == TEMPLATES_PER_SEARCH and len({hit.person_id for hit in hits}) == 1:
        # One person's samples filled the list: the margin needs the next person too.
        hits += _found(embedding, pack, _Among.ALL_BUT_ONE, person_id=hits[0].person_id)
    limit = pack.policy.identification_threshold if pack.policy else -1.0
    return classifiers.objected(matching.rank(hits, strategy, least_similarity=limit), embedding, pack)


def compare(embedding: Embedding, pack: ActivePack, person_id: int) -> CandidateList:
    """Compares a probe with one person (verification); exact whatever the size of the gallery.

    Returns:
        That person, with what stands against them now; empty where they have no template or do not exist.

    Raises:
        PackMismatch: when the probe was made by another pack.
    """
    _require_same_pack(embedding, pack)
    return _ranked(_found(embedding, pack, _Among.ONE_PERSON, person_id=person_id), pack)


def search_denied(embedding: Embedding, pack: ActivePack) -> CandidateList:
    """Ranks the people on the deny list, active or not; exact whatever the size of the gallery.

    Raises:
        PackMismatch: when the probe was made by another pack.
    """
    _require_same_pack(embedding, pack)
    return _ranked(_found(embedding, pack, _Among.DENIED), pack)


def others_like(
    embedding: Embedding, pack: ActivePack, person_id: int, *, told_apart: frozenset[int], exact: bool
) -> tuple[Neighbour, ...]:
    """The samples of other people that are most like a face, whatever the policy's way to rank people.

    Args:
        embedding: the face.
        pack: the pack whose templates are searched.
        person_id: whose samples are left out.
        told_apart: other people whose samples are left out too.
        exact: what `is_exact` said a moment ago.

    Returns:
        Of `TEMPLATES_PER_SEARCH` nearest ones, those that are left.

    Raises:
        PackMismatch: when the face was embedded by another pack.
    """
    _require_same_pack(embedding, pack)
    hits: list[Candidate] = []
    for shortlist in _shortlists(exact=exact):
        hits = _found(embedding, pack, _Among.ALL_BUT_ONE, shortlist=shortlist, is_mean=False, person_id=person_id)
        if hits:
            break
    return tuple(
        Neighbour(hit.person_id, hit.sample_id, hit.similarity) for hit in hits if hit.person_id not in told_apart
    )


def samples_of(embedding: Embedding, pack: ActivePack, person_id: int) -> tuple[Neighbour, ...]:
    """The samples of a person that are most like a face, whether the person is searched or not.

    Args:
        embedding: the face.
        pack: the pack whose templates are compared.
        person_id: whose.

    Returns:
        The `TEMPLATES_PER_SEARCH` nearest ones.

    Raises:
        PackMismatch: when the face was embedded by another pack.
    """
    _require_same_pack(embedding, pack)
    hits = _found(embedding, pack, _Among.ONE_WHOEVER, is_mean=False, person_id=person_id)
    return tuple(Neighbour(hit.person_id, hit.sample_id, hit.similarity) for hit in hits)


def is_exact(pack: ActivePack) -> bool:
    """Whether the gallery is small enough for every template to be compared; else those of a shortlist are.

    Counts up to the limit only, so that the question stays cheap for a gallery of any size.
    """
    limit = conf.exact_search_max_rows()
    rows = FaceTemplate.objects.filter(pack_id=pack.id).values("pk")[: limit + 1]
    return rows.count() <= limit


def _shortlists(*, exact: bool) -> tuple[int | None, ...]:
    """Lengths to try one after the other until enough is found; None is everything."""
    return (None,) if exact else (*SHORTLISTS, None)


def _require_same_pack(embedding: Embedding, pack: ActivePack) -> None:
    if embedding.pack_digest != pack.digest:
        raise PackMismatch(
            f"The probe was embedded by the pack {embedding.pack_digest[:12]}, the gallery is "
            f"searched with {pack.digest[:12]}. Embed the probe again with the active pack."
        )


def _strategy(pack: ActivePack) -> Strategy:
    return pack.policy.strategy if pack.policy else Strategy.NEAREST


def _ranked(hits: list[Candidate], pack: ActivePack) -> CandidateList:
    """Of few people: a vote of the nearest templates is for telling many apart."""
    is_mean = _strategy(pack) is Strategy.CENTROID
    return matching.centroid(hits) if is_mean else matching.nearest_sample(hits)


def _found(
    embedding: Embedding,
    pack: ActivePack,
    among: _Among,
    *,
    shortlist: int | None = None,
    is_mean: bool | None = None,
    person_id: int | None = None,
) -> list[Candidate]:
    """Of a shortlist of that length; of all templates where it is None."""
    is_mean = _strategy(pack) is Strategy.CENTROID if is_mean is None else is_mean
    exact = shortlist is None
    sql, parameters = _composed(
        pack.id, pack.dimension, among, exact=exact, is_mean=is_mean, needs_basis=conf.requires_legal_basis()
    )
    own: dict[Any, Any] = {_PROBE: Vector(embedding.vector).to_text(), _PERSON: person_id}
    if shortlist is not None:
        own[_SHORTLISTED] = sketched.nearest(embedding, pack, shortlist)
    connection.ensure_connection()
    # Django's own cursor writes the vector into the SQL, twice, and has it parsed and planned anew: half of a search.
    # This one leaves that to the server which, where the settings let it, keeps the plan.
    with CursorWrapper(psycopg.Cursor(connection.connection), connection) as cursor:
        cursor.execute(sql, [own.get(value, value) for value in parameters])
        return [
            Candidate(person, name, sample, similarity, Bar(barred) if barred else None)
            for person, name, sample, similarity, barred in cursor.fetchall()
        ]


@functools.lru_cache(maxsize=64)
def _composed(
    pack_id: int, dimension: int, among: _Among, *, exact: bool, is_mean: bool, needs_basis: bool
) -> tuple[str, tuple[Any, ...]]:
    """A search as SQL and parameters, with stand-ins wherever a search's own values go.

    Composed by the ORM once and not for each face, which took 2.5 of the 4.7 ms of a search in 1,000
    people.
    """
    nobody = np.zeros(dimension, np.float32)
    templates = _templates(pack_id, among, needs_basis=needs_basis)
    if not exact:
        key = f'"{FaceTemplate._meta.db_table}"."id"'
        is_shortlisted = RawSQL(f"{key} = ANY(%s::bigint[])", [_SHORTLISTED], BooleanField())  # noqa: S611  # ours
        templates = templates.filter(is_shortlisted)
    rows = _means(templates, nobody) if is_mean else _nearest(templates, nobody)
    sql, parameters = rows.query.sql_with_params()
    text = Vector(nobody).to_text()
    return sql, tuple(_PROBE if value == text else value for value in parameters)


def _templates(pack_id: int, among: _Among, *, needs_basis: bool) -> QuerySet[FaceTemplate]:
    is_denied = Q(sample__person__deny_list_entry__isnull=False)
    # Who is not active is not searched, but for the deny list: see `selectors.people.recognised`.
    known = Q(sample__person__is_active=True)
    if needs_basis:
        known &= has_valid_basis("sample__person_id")
    searched = FaceTemplate.objects.filter(
        known | is_denied,
        pack_id=pack_id,
        sample__status=FaceSample.Status.ACTIVE,
        sample__person__merged_into__isnull=True,
    )
    match among:
        case _Among.EVERYONE:
            return searched
        case _Among.DENIED:
            return searched.filter(is_denied)
        case _Among.ONE_PERSON:
            return searched.filter(sample__person_id=_PERSON)
        case _Among.ALL_BUT_ONE:
            return searched.exclude(sample__person_id=_PERSON)
        case _Among.ONE_WHOEVER:
            return FaceTemplate.objects.filter(
                pack_id=pack_id, sample__status=FaceSample.Status.ACTIVE, sample__person_id=_PERSON
            )


def _nearest(templates: QuerySet[FaceTemplate], vector: NDArray[np.float32]) -> QuerySet[FaceTemplate, tuple[Any, ...]]:
    ordered = templates.annotate(distance=CosineDistance("embedding", vector)).order_by("distance")
    return ordered.values_list(
        "sample__person_id", "sample__person__name", "sample_id", _similarity(F("distance")), _barred()
    )[:TEMPLATES_PER_SEARCH]


def _means(templates: QuerySet[FaceTemplate], vector: NDArray[np.float32]) -> QuerySet[FaceTemplate, tuple[Any, ...]]:
    # The cosine does not see a vector's length, so the mean needs no normalising.
    mean = Avg("embedding", output_field=VectorField())
    people = templates.values("sample__person_id", "sample__person__name").annotate(
        shown_sample=Min("sample_id"), distance=CosineDistance(mean, vector), barred=_barred()
    )
    return people.order_by("distance").values_list(
        "sample__person_id", "sample__person__name", "shown_sample", _similarity(F("distance")), "barred"
    )[:TEMPLATES_PER_SEARCH]


def _similarity(distance: F) -> Cast:
    return Cast(Value(1.0) - distance, FloatField())


def _barred() -> Case:
    """The gravest that stands against a person by the clock of the database, in the order of `Bar`; else null."""
    person = "sample__person__"
    return Case(
        When(**{f"{person}deny_list_entry__isnull": False}, then=Value(Bar.DENY_LIST.value)),
        When(**{f"{person}is_suspended": True}, then=Value(Bar.SUSPENDED.value)),
        When(**{f"{person}valid_from__gt": Now()}, then=Value(Bar.NOT_YET_VALID.value)),
        When(**{f"{person}valid_until__lte": Now()}, then=Value(Bar.NO_LONGER_VALID.value)),
        output_field=CharField(null=True),
    )
