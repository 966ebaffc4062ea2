"""What was measured on the site's own gallery, and whether the thresholds in force still suit its size."""

from __future__ import annotations

import dataclasses

from recognition.evaluation import error_rates, targets
from recognition.evaluation.gallery_scores import Tally
from recognition.evaluation.targets import Rate
from recognition.models import Job, ModelPack, ThresholdPolicy
from recognition.selectors import packs, templates
from recognition.selectors.packs import ActivePack, NoActivePack

FPIR_KEPT = 0.01
"""A threshold suits a gallery in which it names at most one stranger in 100; more of them, and it has outgrown it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Measurement:
    """The newest measurement that came to its end.

    Args:
        job: that did it.
        tally: what was counted.
        people: who was compared.
        samples: of theirs.
        margin: with which the searches named somebody.
        has_changed: whether other samples are searched since, or by another pack or margin.
    """

    job: Job
    tally: Tally
    people: int
    samples: int
    margin: float
    has_changed: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Holding:
    """A version of the policy in force, and what is known of its thresholds.

    Args:
        policy: the version.
        fmr: of its identification threshold, 0..1; None where neither the gallery nor the pack tells.
        is_of_gallery: whether that was measured on the site's own gallery; else the pack tells at most so much.
        is_below_published: whether the pack tells at least so much, because it publishes no threshold as low.
        suits: up to how many samples a search names at most `FPIR_KEPT` of all strangers; None without `fmr`.
        samples: that a search compares with now: each is one more chance to be like a stranger.
        is_current: whether the measurement is of those samples.
        verification: FMR and FNMR of the verification threshold, as measured; None without a measurement.
        identification: FPIR and FNIR of the identification threshold, as measured; None without a measurement.
    """

    policy: ThresholdPolicy
    fmr: float | None
    is_of_gallery: bool
    is_below_published: bool
    suits: int | None
    samples: int
    is_current: bool
    verification: tuple[Rate, Rate] | None
    identification: tuple[Rate, Rate] | None

    @property
    def is_outgrown(self) -> bool:
        """Whether it names more strangers than `FPIR_KEPT`: as counted where that tells, else by what it suits."""
        if self.fpir is not None:
            return self.fpir > FPIR_KEPT
        return self.suits is not None and self.samples > self.suits

    @property
    def fpir(self) -> float | None:
        """The measured FPIR, 0..1, where it tells; None else.

        It rests on `LEAST_FALSE_MATCHES` errors, and is of the present gallery or too high already: what was too
        high is not less for samples that came since.
        """
        if self.identification is None:
            return None
        wrong, _ = self.identification
        if wrong.errors < error_rates.LEAST_FALSE_MATCHES or wrong.share is None:
            return None
        return wrong.share if self.is_current or wrong.share > FPIR_KEPT else None

    @property
    def expected_fpir(self) -> float | None:
        """How many strangers it is expected to name at the gallery's present size, 0..1."""
        return None if self.fmr is None else targets.expected_fpir(self.fmr, self.samples)


def latest() -> Measurement | None:
    """The newest measurement; None where none was ever finished."""
    done = Job.objects.filter(kind=Job.Kind.THRESHOLDS, state=Job.State.SUCCEEDED)
    job = done.order_by("-finished_at", "-pk").first()
    if job is None:
        return None
    result = job.result
    return Measurement(
        job=job,
        tally=Tally.from_json(result["tally"]),
        people=result["people"],
        samples=result["samples"],
        margin=result["margin"],
        has_changed=(result["gallery"], result["pack"], result["margin"]) != _basis_now(),
    )


def of_gallery() -> Tally | None:
    """What the newest measurement counted, where it is of the pack in use; None else."""
    found = latest()
    active = ModelPack.objects.filter(is_active=True).first()
    return found.tally if found and active and found.job.result["pack"] == active.pk else None


def newest_job() -> Job | None:
    """The measurement that was asked for last, whatever became of it."""
    return Job.objects.filter(kind=Job.Kind.THRESHOLDS).order_by("-pk").first()


def holding(pack: ModelPack, measurement: Measurement | None) -> tuple[Holding, ...]:
    """The versions in force of a pack, the site's first.

    Args:
        pack: the active one.
        measurement: of its gallery; one of another pack counts for nothing.
    """
    if measurement is not None and measurement.job.result["pack"] != pack.pk:
        measurement = None
    in_force = ThresholdPolicy.objects.filter(pack=pack, state=ThresholdPolicy.State.ACTIVE)
    samples = packs.gallery_state(pack.pk).templates
    versions = in_force.select_related("checkpoint").order_by("checkpoint__name")
    return tuple(
        _holding(policy, pack, samples, measurement)
        for policy in sorted(versions, key=lambda policy: policy.checkpoint is not None)
    )


def outgrown(pack: ModelPack) -> tuple[Holding, ...]:
    """The versions in force that the gallery has outgrown."""
    return tuple(held for held in holding(pack, latest()) if held.is_outgrown)


def _holding(policy: ThresholdPolicy, pack: ModelPack, samples: int, measurement: Measurement | None) -> Holding:
    threshold = policy.identification_threshold
    fmr, is_of_gallery, is_below_published = _fmr(pack, threshold, measurement)
    tally = measurement.tally if measurement else None
    return Holding(
        policy=policy,
        fmr=fmr,
        is_of_gallery=is_of_gallery,
        is_below_published=is_below_published,
        suits=targets.comparisons_for(fmr, FPIR_KEPT) if fmr is not None and 0.0 < fmr < 1.0 else None,
        samples=samples,
        is_current=measurement is not None and not measurement.has_changed,
        verification=targets.verification_at(tally, policy.verification_threshold) if tally else None,
        identification=targets.identification_at(tally, threshold) if tally else None,
    )


def _fmr(pack: ModelPack, threshold: float, measurement: Measurement | None) -> tuple[float | None, bool, bool]:
    """The false match rate of a threshold, whether it is the gallery's own, and whether it is at least so much.

    The gallery's where enough errors tell it. Else the pack's: at most that of the next lower threshold it publishes;
    below all of them, at least that of the lowest.
    """
    if measurement is not None:
        wrong, _ = targets.verification_at(measurement.tally, threshold)
        if wrong.errors >= error_rates.LEAST_FALSE_MATCHES:
            return wrong.share, True, False
    below = [float(point["fmr"]) for point in pack.operating_points if float(point["threshold"]) <= threshold]
    if below:
        return min(below), False, False
    return max((float(point["fmr"]) for point in pack.operating_points), default=None), False, True


def _basis_now() -> tuple[str, int, float] | None:
    try:
        pack: ActivePack = packs.active()
    except NoActivePack:
        return None
    return templates.searched_digest(pack.id), pack.id, pack.policy.margin if pack.policy else -1.0
