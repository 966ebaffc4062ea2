"""Adds people and samples to the gallery."""

from __future__ import annotations

import dataclasses
import hashlib

from django.contrib.auth.models import User
from django.db import transaction

from recognition import wording
from recognition.decision.coverage import Pose
from recognition.decision.doubts import Doubt
from recognition.decision.policy import QualityFault, QualityGates, SampleReason
from recognition.models import AuditAction, FaceSample, FaceTemplate, Person, RecognitionEvent
from recognition.selectors import packs, people
from recognition.services import analysis, audit, new_samples
from recognition.services.new_samples import Kept, NewSample
from recognition.vision.errors import ImageError
from recognition.vision.types import BoundingBox, EmbeddedFace

BACKGROUND_FACE_RATIO = 0.5
"""A second face smaller than this share of the largest one is background, as in a street photo."""

SAME_FACE_IOU = 0.5
"""A face overlaps so much with itself when the photo is looked at again, perhaps by another model pack."""


@dataclasses.dataclass(frozen=True, slots=True)
class SampleResult:
    """What became of one image.

    Args:
        sample_id: primary key of the new sample, None when the image was refused.
        faults: why it was refused, the most helpful to mend first; empty when it was taken.
        doubts: why it was taken and set aside, so that it is not searched; the gravest first.
        to_choose_from: every face of a photo that was refused because it shows several.
    """

    sample_id: int | None
    faults: tuple[QualityFault, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    to_choose_from: tuple[EmbeddedFace, ...] = ()

    @classmethod
    def of(cls, kept: Kept) -> SampleResult:
        """Of a face that passed the gates."""
        if kept.was_there:
            return _refused(SampleReason.DUPLICATE_SAMPLE)
        return cls(kept.sample_id, doubts=kept.doubts)

    @property
    def accepted(self) -> bool:
        """Whether the image is searched now."""
        return self.is_stored and not self.doubts

    @property
    def is_known(self) -> bool:
        """Whether the person has this very image already."""
        return any(fault.reason is SampleReason.DUPLICATE_SAMPLE for fault in self.faults)

    @property
    def is_stored(self) -> bool:
        """Whether the image is a sample now, be it one that is set aside."""
        return self.sample_id is not None


def find_or_create_person(*, name: str, actor: User | None) -> Person:
    """The person of that name, enrolled now if there is none.

    Where several people have the name, the one enrolled first: tell them apart in the admin.

    Raises:
        ValueError: when the name is empty or too long.
    """
    cleaned = " ".join(name.split())
    longest = Person._meta.get_field("name").max_length or 0
    if not 0 < len(cleaned) <= longest:
        raise ValueError(f"A person's name needs 1 to {longest} characters.")
    with transaction.atomic():
        person = find_person(name=cleaned)
        if person is None:
            person = Person.objects.create(name=cleaned)
            audit.record(action=AuditAction.PERSON_ENROLLED, actor=actor, subject=person)
    return person


def find_person(*, name: str) -> Person | None:
    """The person of a name who was enrolled first; else whom somebody of that name was merged into.

    Imported again under the name that they had before, nobody must be there twice again.
    """
    merged = Person.objects.filter(name=name).order_by("pk").first()
    return people.named(name).first() or (people.following_merges(merged) if merged is not None else None)


def add_sample(
    *,
    person: Person,
    data: bytes,
    source: FaceSample.Source,
    actor: User | None,
    chosen: BoundingBox | None = None,
    event: RecognitionEvent | None = None,
) -> SampleResult:
    """Analyses one photo and adds its face to a person's samples, or says why not.

    A face that passes the gates and is doubtful nonetheless (`decision.doubts`) is stored and set aside.

    Args:
        person: whose face it is.
        data: the file as it came.
        source: where it came from.
        actor: who enrols.
        chosen: which of several faces it is, in pixels of the photo; None where there must be one alone.
        event: whose picture the photo is; what was measured then is kept with the sample. None for other photos.

    Raises:
        AnalyserUnavailable: when no worker can look at the photo.
        NoActivePack: when no model pack was activated.
    """
    digest = hashlib.sha256(data).hexdigest()
    if is_enrolled(person=person, image_sha256=digest):
        return _refused(SampleReason.DUPLICATE_SAMPLE)
    try:
        faces = analysis.analyse(data)
    except ImageError as error:
        return SampleResult(None, (wording.image_fault(error),))
    return add_faces(
        person=person, image_sha256=digest, faces=faces, source=source, actor=actor, chosen=chosen, event=event
    )


def is_enrolled(*, person: Person, image_sha256: str) -> bool:
    """Whether a file is a sample of a person that the pack in use has embedded, so that it need not be looked at."""
    known = FaceTemplate.objects.filter(sample__person=person, sample__image_sha256=image_sha256)
    return known.filter(pack_id=packs.active().id).exists()


def add_faces(
    *,
    person: Person,
    image_sha256: str,
    faces: tuple[EmbeddedFace, ...],
    source: FaceSample.Source,
    actor: User | None,
    chosen: BoundingBox | None = None,
    event: RecognitionEvent | None = None,
    pose: Pose | None = None,
) -> SampleResult:
    """Adds the face of a photo that was analysed before to a person's samples, or says why not; see `add_sample`.

    Args:
        person: whose face it is.
        image_sha256: digest of the file as it came.
        faces: all that were found in it, the largest first.
        source: where it came from.
        actor: who enrols.
        chosen: which of several faces it is, in pixels of the photo; None where there must be one alone.
        event: whose picture the photo is; None for other photos.
        pose: which pose of a guided enrolment it is; it may then be nearly the same picture as the other poses.
            None for other photos.

    Raises:
        PackMismatch: when another pack than the one in use embedded them.
        NoActivePack: when no model pack was activated.
    """
    pack = packs.active()
    face, faults = chosen_face(faces=faces, gates=gates_of(pack), chosen=chosen)
    if face is None:
        is_choice = any(fault.reason is SampleReason.MULTIPLE_FACES for fault in faults)
        return SampleResult(None, faults, to_choose_from=faces if is_choice else ())
    new = NewSample(person, face, image_sha256, source, event, pose)
    (kept,) = new_samples.keep(samples=[new], pack=pack, actor=actor)
    return SampleResult.of(kept)


def active_gates() -> QualityGates:
    """What a face must have to become a sample now."""
    return gates_of(packs.active())


def gates_of(pack: packs.ActivePack) -> QualityGates:
    """What a face must have to become a sample; of a pack without a policy, the defaults."""
    return pack.policy.gates if pack.policy else QualityGates()


def chosen_face(
    *, faces: tuple[EmbeddedFace, ...], gates: QualityGates, chosen: BoundingBox | None = None
) -> tuple[EmbeddedFace | None, tuple[QualityFault, ...]]:
    """The one face of a photo that may become a sample.

    Args:
        faces: the largest first.
        gates: what it must have.
        chosen: where somebody said that it is.

    Returns:
        The face and no faults, or None and why.
    """
    if chosen is not None:
        faces = tuple(face for face in faces if face.face.box.iou(chosen) >= SAME_FACE_IOU)[:1]
    if not faces:
        return None, (QualityFault(SampleReason.NO_FACE, 0, 1),)
    largest = faces[0].quality.face_size_px
    rivals = sum(face.quality.face_size_px >= largest * BACKGROUND_FACE_RATIO for face in faces)
    if rivals > 1:
        return None, (QualityFault(SampleReason.MULTIPLE_FACES, rivals, 1),)
    faults = gates.faults(faces[0].quality)
    return (None, faults) if faults else (faces[0], ())


def _refused(reason: SampleReason) -> SampleResult:
    return SampleResult(None, (QualityFault(reason, 0, 0),))
