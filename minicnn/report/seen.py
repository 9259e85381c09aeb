"""What a model looked at when it was wrong: Grad-CAM over each mistake of a report, as small JPEGs."""

import io

import numpy as np

from minicnn.data import ImageError
from minicnn.data.images import read_picture
from minicnn.errors import UnsupportedError
from minicnn.explain import grad_cam, overlay
from minicnn.preparation.pillow import pillow_image, quiet_pillow
from minicnn.transfer.result import TransferResult

SIDE = 224


def looked_at(result: TransferResult) -> dict[str, bytes]:
    """{file of a mistake: the picture as the model saw it, under the map of its answer}; empty without convolutions."""
    if result.judged is None or not result.mistakes:
        return {}
    files, names = dict(zip(result.judged.names, result.judged.files)), list(result.class_names)
    preparation, pixels, answers = result.base.preparation, {}, []
    with quiet_pillow():
        for mistake in result.mistakes:
            try:
                pixels[mistake.file] = read_picture(files[mistake.file], preparation.rule).pixels
            except ImageError:  # it was there when training began
                continue
            answers.append(names.index(mistake.predicted))
    if not pixels:
        return {}
    try:
        maps = grad_cam(result.model, preparation(np.stack(list(pixels.values()))), answers)
    except UnsupportedError:
        return {}
    return {name: _jpeg(picture, heat) for (name, picture), heat in zip(pixels.items(), maps)}


def _jpeg(picture: np.ndarray, heat: np.ndarray) -> bytes:
    """A map over its picture, of SIDE pixels at most."""
    image_module = pillow_image()
    shown = image_module.fromarray(picture)
    shown.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    image_module.fromarray(overlay(np.array(shown), heat)).save(stream, "JPEG", quality=82)
    return stream.getvalue()
