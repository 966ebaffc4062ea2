"""Loads a pack on this machine and tells the database of it."""

from __future__ import annotations

from recognition import wiring
from recognition.models import ModelPack
from recognition.services import packs
from recognition.services.packs import PackDescription
from recognition.vision import model_packs
from recognition.wiring import LoadedPack


def load_and_register(name_or_folder: str) -> tuple[LoadedPack, ModelPack]:
    """Loads a pack and stores what it is; nothing is activated.

    Args:
        name_or_folder: "opencv-zoo", "mtcnn-sface", an InsightFace name, or the name or folder of a pack that is here.

    Raises:
        PackError: when it cannot be loaded here.
    """
    loaded = wiring.load(wiring.find_pack(name_or_folder), wiring.runtime_options())
    pack = loaded.pack
    stored = packs.register(
        description=PackDescription(
            name=pack.name,
            digest=loaded.pipeline.pack_digest,
            dimension=loaded.dimension,
            licence=pack.licence.name,
            commercial_use=pack.licence.commercial_use,
            location=pack.location,
            operating_points=pack.operating_points,
            measured_on=pack.measured_on,
            licence_url=pack.licence.url,
            is_supplied=pack.kind == "supplied",
        )
    )
    return loaded, stored


def ensure_active() -> None:
    """Activates the default pack on a database where none was activated."""
    if ModelPack.objects.filter(is_active=True).exists():
        return
    _, stored = load_and_register(model_packs.DEFAULT_PACK_NAME)
    packs.activate(pack=stored, actor=None)
