"""Arguments that layers of Keras take and that change nothing here, and what is said of one that no layer takes."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Any

from .symbolic import Shape

WITHOUT_EFFECT = ("autocast", "fused", "implementation", "renorm_clipping", "renorm_momentum", "use_cudnn")
SWITCHED_OFF = (  # by None or False; else they change what is computed
    "activity_regularizer",
    "lora_alpha",
    "lora_rank",
    "quantization_config",
    "ragged",
    "renorm",
    "sparse",
    "synchronized",
    "time_major",
    "virtual_batch_size",
    "weights",
)


def take_shape(options: dict[str, Any]) -> Shape | None:
    """The shape of a sample that `batch_input_shape`, or Keras 1's `input_dim` and `input_length` say; taken out."""
    batch = options.pop("batch_input_shape", None)
    sizes = [options.pop(name) for name in ("input_length", "input_dim") if options.get(name) is not None]
    return tuple(batch)[1:] if batch is not None else tuple(sizes) or None


def take_harmless(options: dict[str, Any]) -> None:
    """Take out what changes nothing."""
    for name in [*options]:
        if name in WITHOUT_EFFECT or (name in SWITCHED_OFF and options[name] in (None, False)):
            del options[name]


def unknown_arguments(names: Collection[str], known: Collection[str]) -> str:
    """The middle of a refusal: what is not taken, what was perhaps meant, and all there is."""
    near = {name: get_close_matches(name, known, 1, 0.8) for name in names}
    meant = [f"{name} is perhaps {found[0]}" for name, found in near.items() if found]
    return f"{', '.join(names)}; {''.join(f'{guess}; ' for guess in meant)}it takes {', '.join(sorted(known))}"
