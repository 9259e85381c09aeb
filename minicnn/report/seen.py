"""What a model looked at when it was wrong: Grad-CAM over each mistake of a report, as small JPEGs."""

import io

import numpy as np

from minicnn.errors import UnsupportedError
from minicnn.explain import grad_cam, overlay
from minicnn.preparation.pillow import pillow_image
from minicnn.transfer.mistakes import drawable
from minicnn.transfer.result import TransferResult

SIDE = 224


def looked_at(result: TransferResult) -> dict[str, bytes]:
    """{name of a mistake: the picture as the model saw it, under the map of its answer}; empty without convolutions."""
    names = list(result.class_names)
    shown = {m.file: (m.pixels, names.index(m.predicted)) for m in result.mistakes if m.pixels is not None}
    if not shown:
        return {}
    pixels, answers = zip(*shown.values())
    try:
        maps = grad_cam(result.model, result.base.preparation(np.stack(pixels)), list(answers))
    except UnsupportedError:
        return {}
    return {name: _jpeg(drawable(picture), heat) for name, picture, heat in zip(shown, pixels, maps)}


def _jpeg(picture: np.ndarray, heat: np.ndarray) -> bytes:
    """A map over its picture, of SIDE pixels at most."""
    image_module = pillow_image()
    shown = image_module.fromarray(picture)
    shown.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    image_module.fromarray(overlay(np.array(shown), heat)).save(stream, "JPEG", quality=82)
    return stream.getvalue()
