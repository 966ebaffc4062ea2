"""Events of before, for pages that look back: nobody stands before a camera for them."""

from __future__ import annotations

EVENTS = """
import datetime as dt
import cv2
import numpy as np
from django.utils import timezone
from recognition.models import Checkpoint, EventCrop, EventOverride, FaceSample, Person, RecognitionEvent, SampleImage
from recognition.selectors import packs
active, now = packs.active(), timezone.now()
door = Checkpoint.objects.create(name="Front door", slug="front-door")
def picture(shade):
    grey = np.full((112, 112, 3), shade, np.uint8)
    cv2.circle(grey, (56, 56), 30, (shade // 2, shade, 255 - shade), -1)
    return cv2.imencode(".jpg", grey)[1].tobytes()
def enrol(name, external_id, shade):
    person = Person.objects.create(name=name, external_id=external_id)
    scores = {"scores": {"UnifiedQualityScore": 71, "Sharpness": 64}}
    sample = FaceSample.objects.create(person=person, source="upload", quality=scores, image_sha256=str(shade))
    SampleImage.objects.create(sample=sample, jpeg=picture(shade))
    return person, sample
ada, bob = enrol("Ada of the very long name that wraps", "E-1", 90), enrol("Bob", "E-2", 200)
limits = {"identification_threshold": 0.363, "verification_threshold": 0.3, "margin": 0.05}
limits |= {"votes_needed": 3, "votes_of": 5}
def vote(decision, similarity, at):
    return {"at_ms": at, "decision": decision, "best_person": ada[0].pk, "similarity": similarity,
        "runner_up": bob[0].pk, "runner_up_similarity": 0.21, "margin": similarity - 0.21,
        "quality": {"face_size_px": 160.0, "sharpness": 90.0}}
def event(minutes, decision, similarity, **more):
    at = now - dt.timedelta(minutes=minutes)
    row = RecognitionEvent.objects.create(
        decision=decision, similarity=similarity, margin=similarity - 0.21, checkpoint=door,
        policy_id=active.policy_id, pack_id=active.id, best_person=ada[0], best_sample=ada[1], runner_up=bob[0],
        started_at=at - dt.timedelta(seconds=2), decided_at=at,
        person=ada[0] if decision == "accept" else None, thresholds=limits,
        votes=[vote(decision, similarity, at_ms) for at_ms in (0, 400, 800)],
        quality={"scores": {"UnifiedQualityScore": 58, "Sharpness": 44}}, timings={"runtime": "none"}, **more)
    EventCrop.objects.create(event=row, jpeg=picture(100 + minutes))
    return row
reason = [{"reason": "below_threshold", "measured": 0.34, "required": 0.363}]
event(1, "accept", 0.71)
event(2, "reject_no_match", 0.34, reasons=reason, kind="verification", claimed_id="E-9")
refused = event(3, "reject_no_match", 0.25, reasons=reason)
EventOverride.objects.create(event=refused, outcome="admitted", reason="Known to the guard, new glasses.")
"""
"""Two people with a photo each; an accept, a refusal near the threshold, and one that was overridden."""

MANY = """
for minutes in range(10, 70):
    event(minutes % 90, "accept", 0.8)
"""
"""More of them than a page shows; after `EVENTS`, in the same program."""
