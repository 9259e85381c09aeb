"""Loss scaling: gradients too small for float16 are made larger on their way back, and small again before the step."""

from collections.abc import Sequence
from typing import Any

import numpy as np


class LossScale:
    """A factor S of the loss.  The gradients of S loss are S times those of the loss.

    Where one of them overflows, the step is left out and S becomes half of what it was, but not less than `LEAST`: what
    overflows then does so by itself.  After `GROWTH` good steps S doubles.

    Source: Micikevicius et al., "Mixed Precision Training", 2018, section 3.2.

    Attributes
    ----------
    value : S, a power of two: multiplying by it and dividing by it rounds nothing
    good : steps since S was changed

    Examples
    --------
    >>> import numpy as np
    >>> scale = LossScale()
    >>> scale.unscaled([np.array([np.inf])]) is None, scale.value
    (True, 16384.0)
    """

    GROWTH = 2000
    LEAST = 1.0

    def __init__(self, value: float = 2.0**15, good: int = 0):
        self.value, self.good = float(value), int(good)

    @property
    def is_least(self) -> bool:
        """Whether S cannot become smaller."""
        return self.value <= self.LEAST

    def unscaled(self, gradients: Sequence[Any]) -> list[Any] | None:
        """Gradients of the loss, of those of S loss; None where one is not finite, and no step may be made."""
        finite = bool(np.stack([np.isfinite(gradient).all() for gradient in gradients]).all())
        factor = 1 / self.value
        if not finite:
            if not self.is_least:
                self.value, self.good = max(self.LEAST, self.value / 2), 0
            return None
        self.good += 1
        if self.good == self.GROWTH:
            self.value, self.good = self.value * 2, 0
        return [gradient * gradient.dtype.type(factor) for gradient in gradients]
