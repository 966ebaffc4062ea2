"""An accelerator that was asked for is used, or nothing starts; its answers are those of the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recognition import wiring
from recognition.vision import model_packs
from recognition.vision.errors import RuntimeUnavailable
from recognition.vision.model_packs import ModelPack
from recognition.vision.runtimes import onnxruntime
from recognition.vision.runtimes.choice import ACCELERATORS, Accelerator, Demand, RuntimeOptions
from recognition.vision.runtimes.onnxruntime import OnnxRuntimeSession
from tests import faces

SHARED_PACK = Path(__file__).parents[6] / "shared/data/packs/scrfd_mbf"

AS_SHOWN = {"cuda": "CUDA", "tensorrt": "Tensorrt", "coreml": "CoreML"}

offered = [
    pytest.param(
        name, marks=pytest.mark.skipif(name not in onnxruntime.offered(), reason=f"onnxruntime offers no {name} here")
    )
    for name in ACCELERATORS
]


def pack(name: str) -> ModelPack:
    if name == "opencv-zoo":
        return model_packs.opencv_zoo_pack()
    if not SHARED_PACK.is_dir():
        pytest.skip(f"{SHARED_PACK} is not there")
    return model_packs.insightface_pack(SHARED_PACK)


def seen(name: str, demand: Demand, cache_dir: Path) -> tuple[str, np.ndarray]:
    """What runs the networks, and the vectors of the six people in a picture, left to right."""
    pipeline = wiring.load(pack(name), RuntimeOptions(demand, threads=1, cache_dir=cache_dir)).pipeline
    image = faces.group()
    found = sorted(pipeline.find(image), key=lambda face: face.box.x_min)
    return pipeline.runtime, np.stack([face.embedding.vector for face in pipeline.embed(image, found)])


@pytest.mark.parametrize("name", ["opencv-zoo", "scrfd_mbf"])
@pytest.mark.parametrize("accelerator", offered)
def test_an_accelerator_says_that_it_runs_and_sees_what_the_cpu_sees(
    accelerator: Accelerator, name: str, tmp_path: Path
) -> None:
    try:
        runtime, vectors = seen(name, accelerator, tmp_path)
    except RuntimeUnavailable as error:
        pytest.skip(str(error))
    _, expected = seen(name, "onnxruntime", tmp_path)
    assert runtime.split()[-1] == AS_SHOWN[accelerator]
    assert vectors.shape == expected.shape
    assert np.sum(vectors * expected, axis=1).min() > 0.9999


@pytest.mark.parametrize("accelerator", ACCELERATORS)
@pytest.mark.filterwarnings("ignore:Specified provider:UserWarning")
def test_an_accelerator_that_does_not_start_is_never_replaced_by_the_cpu(accelerator: Accelerator) -> None:
    if accelerator in onnxruntime.offered():
        pytest.skip(f"{accelerator} may start here")
    with pytest.raises(
        RuntimeUnavailable, match=rf"asks for {accelerator}, but it does not start .*FACEWEB_RUNTIME=auto"
    ):
        OnnxRuntimeSession(model_packs.opencv_zoo_pack().file("detector"), accelerator=accelerator)
