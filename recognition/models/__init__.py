"""What is stored: fields, constraints and indexes; no workflows."""

from recognition.models.audit import AuditAction, AuditEntry
from recognition.models.events import EventCrop, RecognitionEvent
from recognition.models.packs import ModelPack
from recognition.models.people import FaceSample, FaceTemplate, Person, SampleImage
from recognition.models.policies import ThresholdPolicy

__all__ = [
    "AuditAction",
    "AuditEntry",
    "EventCrop",
    "FaceSample",
    "FaceTemplate",
    "ModelPack",
    "Person",
    "RecognitionEvent",
    "SampleImage",
    "ThresholdPolicy",
]
