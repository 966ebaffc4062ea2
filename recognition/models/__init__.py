"""What is stored: fields, constraints and indexes; no workflows."""

from recognition.models.audit import AuditAction, AuditEntry
from recognition.models.checkpoints import ActionDelivery, Checkpoint, ClaimLockout, KioskDevice, KioskPairing
from recognition.models.classifiers import TrainedClassifier
from recognition.models.events import Alert, EventCrop, EventOverride, EventPlace, RecognitionEvent
from recognition.models.filters import SavedFilter
from recognition.models.imports import ImportBatch, ImportItem
from recognition.models.jobs import Job
from recognition.models.legal import ErasureCertificate, ErasureReason, ErasureRequest, LegalBasis, LegalHold
from recognition.models.packs import ModelPack
from recognition.models.people import (
    DenyListEntry,
    DistinctPair,
    FaceSample,
    FaceTemplate,
    Person,
    PersonGroup,
    PersonMove,
    SampleImage,
    WaitingPhoto,
)
from recognition.models.policies import ThresholdPolicy
from recognition.models.retention import EventHold, RetentionRule
from recognition.models.reviews import ReviewBatch, ReviewItem, ReviewStratum, Verdict
from recognition.models.sealed import AnchorPlace, SealedContent, SealedKind, SealedRow
from recognition.models.unknowns import UnknownCluster, UnknownFace, UnknownMove
from recognition.models.videos import Video, VideoAppearance, VideoPiece

__all__ = [
    "ActionDelivery",
    "Alert",
    "AnchorPlace",
    "AuditAction",
    "AuditEntry",
    "Checkpoint",
    "ClaimLockout",
    "DenyListEntry",
    "DistinctPair",
    "ErasureCertificate",
    "ErasureReason",
    "ErasureRequest",
    "EventCrop",
    "EventHold",
    "EventOverride",
    "EventPlace",
    "FaceSample",
    "FaceTemplate",
    "ImportBatch",
    "ImportItem",
    "Job",
    "KioskDevice",
    "KioskPairing",
    "LegalBasis",
    "LegalHold",
    "ModelPack",
    "Person",
    "PersonGroup",
    "PersonMove",
    "RecognitionEvent",
    "RetentionRule",
    "ReviewBatch",
    "ReviewItem",
    "ReviewStratum",
    "SampleImage",
    "SavedFilter",
    "SealedContent",
    "SealedKind",
    "SealedRow",
    "ThresholdPolicy",
    "TrainedClassifier",
    "UnknownCluster",
    "UnknownFace",
    "UnknownMove",
    "Verdict",
    "Video",
    "VideoAppearance",
    "VideoPiece",
    "WaitingPhoto",
]
