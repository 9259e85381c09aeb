"""What the tests of policies share: the small net on twelve pictures of noise, before and after fine-tuning."""

from typing import Any

import numpy as np
from transfer_cases import small_net

from minicnn.transfer import Base, Policy
from minicnn.transfer.job import Job
from minicnn.transfer.samples import AsGiven, Samples
from minicnn.transfer.surgery import without_head
from minicnn.utils import set_random_seed

ROWS = np.arange(12)
PLAIN = Policy(
    unfreeze=2, epochs=2, batch_size=4, learning_rate=0.01, layer_decay=1.0, schedule="constant", warmup=0.0,
    optimizer="sgd", head_epochs=1, augment=None,
)  # fmt: skip


def job(policy: Policy) -> tuple[Job, Any]:
    """The small net on 12 pictures of noise, and its tail."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 255, (12, 24, 24, 3)).astype(np.uint8)
    base = Base(without_head(small_net()), "small", AsGiven(), "random")  # pyright: ignore[reportArgumentType]
    samples = Samples(images / np.float32(255), ROWS % 3, ["a", "b", "c"], [str(i) for i in ROWS], base.preparation)
    made = Job(base, samples, policy)
    _, tail, _ = made.features()
    set_random_seed(0)
    made.head_layer.set_weights([generator.standard_normal((8, 3)), np.zeros(3)])  # one of zeros hands no gradient down
    return made, tail


def trained(policy: Policy, validation: np.ndarray = ROWS) -> dict[str, np.ndarray]:
    """The weights after fine-tuning, by "layer/weight"."""
    made, tail = job(policy)
    tail.fit(ROWS, validation, policy)
    return {f"{layer.name}/{p.name}": p.numpy().copy() for layer in made.model.layers for p in layer.weights}


def begun() -> dict[str, np.ndarray]:
    """The weights before it."""
    made, _ = job(PLAIN)
    return {f"{layer.name}/{p.name}": p.numpy().copy() for layer in made.model.layers for p in layer.weights}
