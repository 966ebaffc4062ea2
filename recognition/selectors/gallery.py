"""Vector search: whose enrolled face is most like this one."""

from __future__ import annotations

from django.db.models import F, FloatField, QuerySet, Value
from django.db.models.functions import Cast
from pgvector.django import CosineDistance, VectorField

from recognition import conf
from recognition.decision import matching
from recognition.decision.matching import Candidate, CandidateList
from recognition.models import FaceSample, FaceTemplate
from recognition.selectors.packs import ActivePack
from recognition.vision.errors import PackMismatch
from recognition.vision.types import Embedding

TEMPLATES_PER_SEARCH = 64
"""Nearest templates fetched a search: enough for five people with a dozen samples each."""


def search(
    embedding: Embedding, pack: ActivePack, *, person_id: int | None = None, exact: bool | None = None
) -> CandidateList:
    """Ranks the enrolled people by similarity to a probe.

    Args:
        embedding: the probe.
        pack: the pack whose templates are searched.
        person_id: compares with this person's samples only (verification).
        exact: what `is_exact` said a moment ago; asked again when left out.

    Returns:
        Each person's best sample, the closest first; empty when nobody is enrolled. As exact as
        the index: see `is_exact`.

    Raises:
        PackMismatch: when the probe was made by another pack.
    """
    if embedding.pack_digest != pack.digest:
        raise PackMismatch(
            f"The probe was embedded by the pack {embedding.pack_digest[:12]}, the gallery is "
            f"searched with {pack.digest[:12]}. Embed the probe again with the active pack."
        )
    exact = person_id is not None or (is_exact(pack) if exact is None else exact)
    hits = _nearest(_templates(pack, embedding, person_id, exact))
    ranked = matching.nearest_sample(hits)
    if len(hits) == TEMPLATES_PER_SEARCH and len(ranked.people) == 1:
        # One person's samples filled the list: the margin needs the next person too.
        others = _templates(pack, embedding, person_id, exact).exclude(sample__person_id=ranked.people[0].person_id)
        ranked = matching.nearest_sample([*hits, *_nearest(others)])
    return ranked


def is_exact(pack: ActivePack) -> bool:
    """Whether the gallery is small enough to be scanned without the index.

    Counts up to the limit only, so that the question stays cheap for a gallery of any size.
    """
    limit = conf.exact_search_max_rows()
    rows = FaceTemplate.objects.filter(pack_id=pack.id).values("pk")[: limit + 1]
    return rows.count() <= limit


def _templates(pack: ActivePack, embedding: Embedding, person_id: int | None, exact: bool) -> QuerySet[FaceTemplate]:
    # The index is on the cast expression; ordering by the bare column never uses it, which is how
    # a small gallery or a single person is scanned exactly.
    column = F("embedding") if exact else Cast("embedding", VectorField(dimensions=pack.dimension))
    templates = FaceTemplate.objects.filter(
        pack_id=pack.id,
        sample__status=FaceSample.Status.ACTIVE,
        sample__person__is_active=True,
    )
    if person_id is not None:
        templates = templates.filter(sample__person_id=person_id)
    return templates.annotate(distance=CosineDistance(column, embedding.vector)).order_by("distance")


def _nearest(templates: QuerySet[FaceTemplate]) -> list[Candidate]:
    rows = templates.values_list(
        "sample__person_id",
        "sample__person__name",
        "sample_id",
        Cast(Value(1.0) - F("distance"), FloatField()),
    )[:TEMPLATES_PER_SEARCH]
    return [Candidate(*row) for row in rows]
