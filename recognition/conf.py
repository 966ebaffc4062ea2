"""The settings that this app reads, typed; the only place of the app that knows their names."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from recognition.vision import cores


def runtime() -> Literal["auto", "openvino", "onnxruntime", "cuda", "tensorrt", "coreml"]:
    """What runs the networks: "auto" is the one that measures faster on this machine's CPU."""
    return cast(Literal["auto", "openvino", "onnxruntime", "cuda", "tensorrt", "coreml"], settings.FACEWEB_RUNTIME)


def cache_dir() -> Path:
    """Where prepared networks are kept."""
    return Path(settings.FACEWEB_CACHE_DIR)


def state_dir() -> Path:
    """Where the installation keeps what must outlive its database, such as who was erased."""
    return Path(settings.FACEWEB_STATE_DIR)


def anchor_file() -> Path:
    """Where heads of the sealed log are kept."""
    return Path(settings.FACEWEB_ANCHOR_FILE or state_dir() / "anchors.jsonl")


def anchor_url() -> str:
    """Where heads of the sealed log are sent; empty for nowhere."""
    return str(settings.FACEWEB_ANCHOR_URL)


def signing_key() -> Ed25519PrivateKey:
    """What signs backups, anchors of the sealed log, and dispute bundles; made at the first call."""
    return settings.FACEWEB_SIGNING_KEY()


def worker_threads() -> int:
    """Recognition threads of this machine: FACEWEB_WORKER_THREADS, else what was measured fastest, else one a core."""
    return int(settings.FACEWEB_WORKER_THREADS) or cores.remembered_threads(cache_dir()) or cores.usable()


def measures_threads() -> bool:
    """Whether the number of recognition threads is to be measured here, and was not yet."""
    return not settings.FACEWEB_WORKER_THREADS and cores.remembered_threads(cache_dir()) is None


def looks_for_tilted_faces() -> bool:
    """Whether a camera frame that shows no upright face is searched turned, too."""
    return bool(settings.FACEWEB_TILTED_FRAMES)


def may_approve_own_policy() -> bool:
    """Whether the person who proposed a threshold policy may approve it too."""
    return bool(settings.FACEWEB_POLICY_APPROVAL == "same_person")


def import_max_bytes() -> int:
    """Bytes that the files of one bulk import may have together, unpacked."""
    return int(settings.FACEWEB_IMPORT_MAX_MB) * 2**20


def video_max_bytes() -> int:
    """Bytes that one uploaded video may have."""
    return int(settings.FACEWEB_VIDEO_MAX_MB) * 2**20


def video_max_minutes() -> int:
    """Minutes that one uploaded video may last."""
    return int(settings.FACEWEB_VIDEO_MAX_MINUTES)


def video_days() -> int:
    """Days that an uploaded video is kept at most."""
    return int(settings.FACEWEB_VIDEO_DAYS)


def requires_legal_basis() -> bool:
    """Whether recognition knows only people with a valid legal basis."""
    return bool(settings.FACEWEB_LEGAL_BASIS == "required")


def model_dir() -> Path:
    """Where packs are looked for, and those of InsightFace downloaded to."""
    return Path(settings.FACEWEB_MODEL_DIR)


def exact_search_max_rows() -> int:
    """Templates up to which all are compared with a probe instead of a shortlist."""
    return int(settings.FACEWEB_EXACT_SEARCH_MAX_ROWS)
