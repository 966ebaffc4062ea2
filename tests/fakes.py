"""Fakes that keep the promises of the real parts, and values for them: fakes over mocks.

The lower half makes rows through the services, the way the product makes them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import importlib
import itertools
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone
from numpy.typing import NDArray

from recognition.decision.classifier_files import Trained
from recognition.decision.classifiers import MADE_UP, OTHER_PEOPLE, KnnClassifier, SvmClassifier
from recognition.decision.matching import Candidate, CandidateList, Strategy
from recognition.decision.policy import Policy, QualityFault
from recognition.decision.standing import Bar, Standing
from recognition.models import (
    Checkpoint,
    ErasureReason,
    ErasureRequest,
    EventCrop,
    FaceSample,
    FaceTemplate,
    ModelPack,
    Person,
    PersonGroup,
    RecognitionEvent,
    SampleImage,
    TrainedClassifier,
    UnknownFace,
    WaitingPhoto,
)
from recognition.selectors import packs as active_packs
from recognition.selectors import templates
from recognition.selectors.packs import ActivePack
from recognition.services import classifiers, erasure, packs
from recognition.services.frames import Backlog, FrameOutcome, FrameStatus, FrameTask, SearchScope, SeenFace
from recognition.services.packs import PackDescription
from recognition.vision.alignment import ARCFACE_TEMPLATE_XY, CROP_SIZE_PX
from recognition.vision.model_packs import OperatingPoint
from recognition.vision.types import (
    BoundingBox,
    DetectedFace,
    EmbeddedFace,
    Embedding,
    ImageBgr,
    Landmarks,
    Quality,
    QualityScores,
)

DIGEST = "d" * 64
DIMENSION = 8
POINTS = (
    OperatingPoint(fmr=1e-3, threshold=0.3, tmr=0.99),
    OperatingPoint(fmr=1e-4, threshold=0.4, tmr=0.98),
    OperatingPoint(fmr=1e-5, threshold=0.5, tmr=0.97),
)
"""The default policy made of these names people from 0.5 and confirms claims from 0.4."""

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
"""A moment for what has no clock of its own."""

_numbers = itertools.count(1)


# --- networks ---


class FakeSession:
    """An inference session that computes what it is told to."""

    def __init__(
        self,
        runtime: str = "fake 1.0",
        compute: Callable[[NDArray[np.float32]], Sequence[NDArray[np.float32]]] = lambda batch: (batch,),
    ) -> None:
        """Takes what `run` answers."""
        self.runtime = runtime
        self.runs = 0
        self._compute = compute

    def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """See `InferenceSession`."""
        self.runs += 1
        return tuple(self._compute(batch))


class FakeDetector:
    """Finds the same faces in every image, and remembers the images."""

    runtime = "fake detector"
    sure_score = 0.9
    upright_degrees = 3.0
    tilt_view_px = 192

    def __init__(self, *faces: DetectedFace) -> None:
        """Takes what it finds."""
        self.faces = faces
        self.images: list[ImageBgr] = []

    def detect(self, image_bgr: ImageBgr) -> tuple[DetectedFace, ...]:
        """See `FaceDetector`."""
        self.images.append(image_bgr)
        return self.faces


class FakeEmbedder:
    """Embeds every crop as its mean colour; remembers the shape of what it got at each call."""

    runtime = "fake embedder"

    def __init__(self) -> None:
        """Starts without a call."""
        self.shapes: list[tuple[int, ...]] = []

    def embed(self, crops_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `FaceEmbedder`."""
        self.shapes.append(crops_bgr.shape)
        return np.asarray(crops_bgr.reshape(len(crops_bgr), -1, 3).mean(axis=1) + 1, np.float32)


# --- workers ---


class FakeFrameWorker:
    """Answers frames with what it is told to; while `held`, keeps them until `release`."""

    def __init__(self, answer: Callable[[FrameTask], FrameOutcome] | None = None) -> None:
        """Takes the answer; without one, every frame shows nobody."""
        self.answer = answer or (lambda task: FrameOutcome(FrameStatus.ANALYSED, active=active_pack()))
        self.tasks: list[FrameTask] = []
        self.prepared: list[tuple[bytes, SearchScope]] = []
        self.held = False
        self._waiting: list[tuple[FrameTask, Callable[[FrameOutcome], None]]] = []

    def submit(self, task: FrameTask, done: Callable[[FrameOutcome], None]) -> None:
        """See `FrameWorker`; answers from another thread, as a real one does."""
        self.tasks.append(task)
        if self.held:
            self._waiting.append((task, done))
        else:
            threading.Thread(target=lambda: done(self.answer(task))).start()

    def prepare(self, jpeg: bytes, scope: SearchScope) -> None:
        """See `FrameWorker`."""
        self.prepared.append((jpeg, scope))

    def backlog(self) -> Backlog:
        """See `FrameWorker`; what is held has waited for a second."""
        return Backlog(len(self._waiting), float(bool(self._waiting)))

    def release(self) -> None:
        """Answers what was held."""
        self.held = False
        waiting, self._waiting = self._waiting, []
        for task, done in waiting:
            done(self.answer(task))


class FakeAnalyser:
    """A still-image analyser that knows some files; any other shows nobody."""

    def __init__(self, faces_of: Mapping[bytes, tuple[EmbeddedFace, ...] | Exception]) -> None:
        """Takes what each file shows, or what its reading raises."""
        self.faces_of = faces_of
        self.seen: list[bytes] = []

    def analyse(self, data: bytes) -> tuple[EmbeddedFace, ...]:
        """See `StillImageAnalyser`."""
        self.seen.append(data)
        answer = self.faces_of.get(data, ())
        if isinstance(answer, Exception):
            raise answer
        return answer

    def is_up(self) -> bool:
        """See `StillImageAnalyser`."""
        return True


# --- values ---


def box(x: float = 100, y: float = 100, side: float = 112) -> BoundingBox:
    """A square box."""
    return BoundingBox(x, y, x + side, y + side)


def detected(where: BoundingBox | None = None, score: float = 0.9) -> DetectedFace:
    """A frontal face that fills the box as the alignment template fills its crop."""
    where = where or box()
    scale = np.array([where.width, where.height], np.float32) / CROP_SIZE_PX
    points = ARCFACE_TEMPLATE_XY * scale + np.array([where.x_min, where.y_min], np.float32)
    return DetectedFace(where, Landmarks(points.astype(np.float32)), score)


def quality(**changes: Any) -> Quality:
    """A view that passes the default gates, of score 1."""
    good = Quality(
        face_size_px=112.0,
        inter_eye_distance_px=35.0,
        detection_score=0.9,
        sharpness=200.0,
        luminance_mean=0.5,
        yaw_degrees=0.0,
        pitch_degrees=0.0,
        roll_degrees=0.0,
        visible_fraction=1.0,
    )
    return dataclasses.replace(good, **changes)


def scores(**changes: int) -> QualityScores:
    """Quality scores, each 80 but for those."""
    names = [field.name for field in dataclasses.fields(QualityScores)]
    return QualityScores(**{**dict.fromkeys(names, 80), **changes})


def probe(pack_digest: str = DIGEST) -> Embedding:
    """The vector that `like_probe` measures from."""
    return like_probe(1.0, axis=1, pack_digest=pack_digest)


def like_probe(similarity: float, *, axis: int = 1, pack_digest: str = DIGEST) -> Embedding:
    """A vector of that similarity to `probe`; two of different axes are like each other by their product."""
    vector = np.zeros(DIMENSION, np.float32)
    vector[0], vector[axis] = similarity, math.sqrt(1.0 - similarity**2)
    return Embedding(vector, pack_digest)


def embedded(
    embedding: Embedding | None = None, *, where: BoundingBox | None = None, seen: Quality | None = None
) -> EmbeddedFace:
    """A face of a photo."""
    return EmbeddedFace(detected(where), seen or quality(), embedding or probe(), b"a crop")


def candidates(*similarities: float, first_person: int = 1, barred: Bar | None = None) -> CandidateList:
    """People 1, 2... with those similarities; `barred` is the first."""
    return CandidateList(
        tuple(
            Candidate(number, f"person {number}", number * 10, similarity, barred if number == first_person else None)
            for number, similarity in enumerate(similarities, first_person)
        )
    )


def standing(person_id: int = 1, *bars: Bar, groups: frozenset[int] = frozenset()) -> Standing:
    """What the database says of a person at `NOW`: barred by those, else in good standing.

    `WRONG_GROUP` is not among them: it depends on the groups that are asked for.
    """
    day = dt.timedelta(days=1)
    return Standing(
        person_id,
        is_deny_listed=Bar.DENY_LIST in bars,
        is_suspended=Bar.SUSPENDED in bars,
        valid_from=NOW + day if Bar.NOT_YET_VALID in bars else None,
        valid_until=NOW - day if Bar.NO_LONGER_VALID in bars else None,
        group_ids=groups,
    )


def active_pack(
    *, digest: str = DIGEST, policy: Policy | None = None, decides: bool = True, pk: int = 1, policy_id: int = 1
) -> ActivePack:
    """A pack in use; its policy names people from 0.5."""
    if decides and policy is None:
        policy = Policy(version=1, identification_threshold=0.5, verification_threshold=0.4)
    return ActivePack(
        id=pk,
        name="fake-pack",
        digest=digest,
        dimension=DIMENSION,
        location="",
        policy_id=policy_id if policy else None,
        policy=policy,
    )


def seen_face(
    people: CandidateList | None = None,
    *,
    track_id: str | None = None,
    where: BoundingBox | None = None,
    view: Quality | None = None,
    faults: tuple[QualityFault, ...] = (),
    crop_jpeg: bytes = b"a crop",
) -> SeenFace:
    """A face of a frame; not embedded where `people` is None."""
    crop = crop_jpeg if people is not None else b""
    return SeenFace(track_id, where or box(), view or quality(), faults, people, crop)


def outcome(*faces: SeenFace, active: ActivePack | None = None) -> FrameOutcome:
    """An analysed frame."""
    return FrameOutcome(FrameStatus.ANALYSED, faces, active or active_pack(), "fake runtime")


# --- rows ---


def registered_pack(
    *, name: str = "fake-pack", digest: str = DIGEST, dimension: int = DIMENSION, decides: bool = True
) -> ModelPack:
    """A pack that the installation knows; register all packs of a test before the first sample."""
    return packs.register(
        description=PackDescription(
            name=name,
            digest=digest,
            dimension=dimension,
            licence="Apache-2.0",
            commercial_use=True,
            location="",
            operating_points=POINTS if decides else (),
            measured_on="nothing real",
        )
    )


def activated_pack(
    *, name: str = "fake-pack", digest: str = DIGEST, dimension: int = DIMENSION, decides: bool = True
) -> ModelPack:
    """A pack in use."""
    pack = registered_pack(name=name, digest=digest, dimension=dimension, decides=decides)
    packs.activate(pack=pack, actor=None)
    return pack


def person(name: str = "Ada", *embeddings: Embedding, pack: ModelPack | None = None, is_active: bool = True) -> Person:
    """An enrolled person with a sample for each embedding."""
    somebody = Person.objects.create(name=name, is_active=is_active)
    for embedding in embeddings:
        sample = FaceSample.objects.create(
            person=somebody,
            source=FaceSample.Source.UPLOAD,
            quality=quality().as_json(),
            image_sha256=hashlib.sha256(str(next(_numbers)).encode()).hexdigest(),
        )
        SampleImage.objects.create(sample=sample, jpeg=b"a crop")
        FaceTemplate.objects.create(
            sample=sample,
            pack=pack or ModelPack.objects.get(digest=embedding.pack_digest),
            embedding=embedding.vector,
        )
    return somebody


def erase(somebody: Person) -> ErasureRequest:
    """Has a person erased because they asked for it; it waits where there is a hold."""
    return erasure.request(person=somebody, reason=ErasureReason.REQUESTED, actor=None, now=timezone.now())


def waiting_photo(somebody: Person, uploader: User, **changes: Any) -> WaitingPhoto:
    """A photo of two faces, the right one too small, that waits for somebody to choose."""
    small = {"reason": "face_too_small", "measured": 20.0, "required": 48.0}
    fields = {
        "file_name": "group.jpg",
        "image_sha256": hashlib.sha256(str(next(_numbers)).encode()).hexdigest(),
        "data": b"a photo",
        "preview_jpeg": b"a preview",
        "width": 640,
        "height": 480,
        "faces": [
            {"box": [100.0, 100.0, 212.0, 212.0], "faults": []},
            {"box": [400.0, 100.0, 420.0, 120.0], "faults": [small]},
        ],
        "expires_at": timezone.now() + dt.timedelta(minutes=30),
        **changes,
    }
    return WaitingPhoto.objects.create(person=somebody, created_by=uploader, **fields)


def checkpoint(slug: str = "door", *groups: PersonGroup, **changes: Any) -> Checkpoint:
    """A verification point that takes faces and claims; without groups it admits everybody."""
    admits = Checkpoint.Admits.GROUPS if groups else Checkpoint.Admits.EVERYONE
    fields = {"name": slug, "mode": Checkpoint.Mode.BOTH, "admits": admits, **changes}
    point = Checkpoint.objects.create(slug=slug, **fields)
    point.allowed_groups.set(groups)
    return point


def event(**changes: Any) -> RecognitionEvent:
    """An accept by the pack in use; one is activated where there is none."""
    pack = ModelPack.objects.filter(is_active=True).first() or activated_pack()
    fields = {"decision": "accept", "pack": pack, "started_at": NOW, "decided_at": NOW, **changes}
    return RecognitionEvent.objects.create(policy=pack.policies.get(state="active", checkpoint=None), **fields)


FROM_VIDEO = [{"reason": "from_video", "measured": 1.5, "required": None}]
"""The stored reasons of an event of a video, where there are no others."""


def unknown_event(jpeg: bytes = b"a crop", **changes: Any) -> RecognitionEvent:
    """An event whose face a search did not find, with the picture of it that is kept."""
    seen = event(**{"decision": "reject_no_match", "quality": quality().as_json(), **changes})
    EventCrop.objects.create(event=seen, jpeg=jpeg)
    return seen


def unknown_face(axis: int, jpeg: bytes = b"a crop", **changes: Any) -> RecognitionEvent:
    """The same, embedded by the pack in use; those of one axis are the same face, of others nothing alike."""
    seen = unknown_event(jpeg, **changes)
    vector = like_probe(0.0, axis=axis).vector
    UnknownFace.objects.create(crop_id=seen.pk, pack=ModelPack.objects.get(is_active=True), embedding=vector)
    return seen


def user(*permissions: str) -> User:
    """Somebody with an account and those permissions of the recognition app."""
    account = User.objects.create_user(f"user{next(_numbers)}", password="known to everybody")
    for codename in permissions:
        account.user_permissions.add(Permission.objects.get(content_type__app_label="recognition", codename=codename))
    return account


def trained(
    strategy: Strategy = Strategy.KNN_CLASSIFIER, *others: Embedding, gallery: str | None = None
) -> TrainedClassifier:
    """A classifier of who is enrolled now, with the pack in use; `others` are the other people that it knows."""
    pack = active_packs.active()
    everybody = templates.searched(pack)
    classifier: Trained = KnnClassifier(
        np.stack([*everybody.vectors, *(other.vector for other in others)]),
        np.append(everybody.people, [OTHER_PEOPLE] * len(others)).astype(np.int64),
        np.append(everybody.samples, [MADE_UP] * len(others)).astype(np.int64),
    )
    if strategy is Strategy.SVM_CLASSIFIER:
        machines = [everybody.vectors[everybody.people == person].sum(axis=0) for person in classifier.learned]
        weights = np.stack([np.zeros(pack.dimension), *machines]).astype(np.float32)
        biases = np.full(len(weights), -0.5, np.float32)
        classifier = SvmClassifier(weights, biases, np.append(OTHER_PEOPLE, classifier.learned))
    classifiers.store(
        trained=[classifier],
        pack=pack,
        gallery=templates.searched_digest(pack.id) if gallery is None else gallery,
        samples=len(everybody),
        others=len(others),
        actor=None,
        now=timezone.now(),
    )
    return TrainedClassifier.objects.get(kind=strategy.value, pack=pack.id)


def in_role(*names: str) -> User:
    """Somebody who may enter the admin, in these roles and with no other permission."""
    if not Group.objects.filter(name__in=names).exists():
        # Tests of several connections empty every table, the roles that a migration made among them.
        importlib.import_module("recognition.migrations.0003_roles").make_roles(apps, None)
        roles = (
            "0007_jobs",
            "0009_doubtful_samples",
            "0010_people_pages",
            "0012_imports",
            "0015_pack_switch",
            "0016_legal_basis",
            "0021_retention",
            "0017_reviews",
            "0020_event_log",
            "0029_unknowns",
            "0031_classifiers",
            "0032_videos",
        )
        for name in roles:
            importlib.import_module(f"recognition.migrations.{name}").give_to_roles(apps, None)
    account = User.objects.create_user(f"user{next(_numbers)}", password="known to everybody", is_staff=True)
    account.groups.set(Group.objects.filter(name__in=names))
    return account
