"""LoRA: kernels change by a product of two thin matrices, so that a few pictures decide few numbers.

W = W₀ + A B,  W as a matrix (inputs, outputs): (D,U) of Dense, (KH·KW·C,F) of Conv2D;  A (inputs,r),  B (r,outputs)

A begins at random and B at zero, so W begins as W₀.  From the gradient G of W follow those of the factors, A: G Bᵀ and
B: Aᵀ G, so the layers run as ever on the merged W, and what is saved at the end is an ordinary model.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minicnn.autograd import Parameter
from minicnn.errors import WeightsMismatchError
from minicnn.optimizers import Optimizer
from minicnn.schedules import LearningRateSchedule
from minicnn.seeds import new_seed


class _Factors:
    """A kernel with the factors of its change."""

    def __init__(self, kernel: Parameter, rank: int, generator: np.random.Generator):
        self.kernel, self.start = kernel, Parameter(kernel.shape, kernel.dtype, name=f"{kernel.name}_start")
        self.start.assign(kernel.numpy())
        inputs, outputs = int(np.prod(kernel.shape[:-1])), kernel.shape[-1]
        rank = min(rank, inputs, outputs)
        self.down = Parameter((inputs, rank), kernel.dtype, name=f"{kernel.name}_down")
        self.up = Parameter((rank, outputs), kernel.dtype, name=f"{kernel.name}_up")
        self.down.assign((generator.standard_normal((inputs, rank)) / np.sqrt(inputs)).astype(kernel.dtype))

    def pairs(self, gradient: Any) -> list[tuple[Any, Parameter]]:
        """(gradient, factor) of both, for the gradient of the kernel."""
        self._follow()
        g = getattr(gradient, "array", gradient).reshape(-1, self.kernel.shape[-1])
        return [(g @ self.up.array.T, self.down), (self.down.array.T @ g, self.up)]

    def merge(self) -> None:
        """Give the kernel its value."""
        self._follow()
        self.kernel.rewrite(self.start.array + (self.down.array @ self.up.array).reshape(self.kernel.shape))

    def _follow(self) -> None:
        """Be where the kernel is."""
        for parameter in (self.start, self.down, self.up):
            parameter.to(self.kernel.device)


class LowRank(Optimizer):
    """
    An optimizer whose steps change some kernels by low-rank factors, which another optimizer moves.

    Parameters
    ----------
    inner : Optimizer
        Moves the factors, and whole what is not among the kernels: a new head, biases, depthwise kernels.
    kernels : sequence of Parameter
        Of layers that `takes` accepts.
    rank : int
        r; no more than a kernel's sides.

    Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2022, section 4.1, with α = r.

    Examples
    --------
    >>> from minicnn.optimizers import SGD
    >>> kernel = Parameter((4, 3))
    >>> optimizer = LowRank(SGD(0.1), [kernel], rank=1)
    >>> optimizer.apply_gradients([(np.ones((4, 3), np.float32), kernel)])
    1
    >>> int(np.linalg.matrix_rank(kernel.numpy()))
    1
    """

    def __init__(self, inner: Optimizer, kernels: Sequence[Parameter], rank: int):
        self.inner = inner
        super().__init__(inner.learning_rate, use_ema=inner.use_ema, name=f"low_rank_{inner.name}")
        generator = np.random.default_rng(new_seed())
        self.factors = {id(kernel): _Factors(kernel, rank, generator) for kernel in kernels}

    @staticmethod
    def takes(layer: Any) -> bool:
        """Whether a layer's kernel is a matrix of inputs and outputs: Dense, or Conv2D of one group."""
        kind = type(layer).__name__
        return kind == "Dense" or (kind == "Conv2D" and getattr(layer, "groups", 1) == 1)

    def factors_of(self, parameters: Iterable[Parameter]) -> list[Parameter]:
        """The parameters, kernels replaced by their factors: what the inner optimizer moves."""
        found: list[Parameter] = []
        for parameter in parameters:
            pair = self.factors.get(id(parameter))
            found += [parameter] if pair is None else [pair.down, pair.up]
        return found

    def apply_gradients(self, pairs: Iterable[tuple[Any, Any]]) -> int:
        """One step; kernels are merged after it."""
        pairs = list(pairs)
        moved = [self.factors[id(parameter)] for _, parameter in pairs if id(parameter) in self.factors]
        translated: list[tuple[Any, Any]] = []
        for gradient, parameter in pairs:
            pair = self.factors.get(id(parameter))
            translated += [(gradient, parameter)] if pair is None else pair.pairs(gradient)
        self.iterations = self.inner.apply_gradients(translated)
        for pair in moved:
            pair.merge()
        return self.iterations

    @property
    def learning_rate(self) -> float:
        """That of the inner optimizer."""
        return self.inner.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float | LearningRateSchedule) -> None:
        self.inner.learning_rate = value

    @property
    def parameters(self) -> list[Any]:
        """Those that have state, kernels in place of their factors."""
        owners = {id(factor): pair.kernel for pair in self.factors.values() for factor in (pair.down, pair.up)}
        found = {id(p): p for p in (owners.get(id(factor), factor) for factor in self.inner.parameters)}
        return list(found.values())

    def scale_loss(self, wanted: bool) -> None:
        """The scale is the inner optimizer's, in whose state it is."""
        self.inner.scale_loss(wanted)
        self.loss_scale = self.inner.loss_scale

    def forget(self) -> None:
        """Be without state again; the factors stay."""
        self.iterations, self.averaged = 0, False
        self.inner.forget()

    def build(self, parameters: Iterable[Any]) -> None:
        """Make state for the parameters, of kernels for their factors."""
        self.inner.build(self.factors_of(parameters))

    def finalize_variable_values(self, var_list: Sequence[Any] | None = None) -> None:
        """The averages of the factors, where the inner optimizer keeps them, decide the kernels."""
        self.inner.finalize_variable_values(None if var_list is None else self.factors_of(var_list))
        self.averaged = self.inner.averaged
        self._merge_all()

    def swap_averages(self) -> None:
        """Exchange factors and averages."""
        self.inner.swap_averages()
        self.averaged = self.inner.averaged
        self._merge_all()

    def state(self) -> dict[str, np.ndarray]:
        """The inner state, and the factors and the start of every kernel."""
        return self.inner.state() | {key: array.copy() for key, array in self._arrays().items()}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Take over what `state` returned; raises as the inner optimizer does."""
        own = self._arrays()
        if missing := sorted(own.keys() - state.keys()):
            raise WeightsMismatchError(f"{self.name}: the saved state has no {', '.join(missing)}")
        self.inner.load_state({key: array for key, array in state.items() if key not in own})
        self.iterations, self.averaged = self.inner.iterations, self.inner.averaged
        self.loss_scale = self.inner.loss_scale
        for i, pair in enumerate(self.factors.values()):
            pair.start.assign(state[f"low_rank/{i}/start"])
            pair.down.assign(state[f"low_rank/{i}/down"])
            pair.up.assign(state[f"low_rank/{i}/up"])

    def _merge_all(self) -> None:
        for pair in self.factors.values():
            pair.merge()

    def _arrays(self) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = {}
        for i, pair in enumerate(self.factors.values()):
            arrays = {"start": pair.start, "down": pair.down, "up": pair.up}
            found |= {f"low_rank/{i}/{name}": parameter.numpy() for name, parameter in arrays.items()}
        return found


def trained_numbers(model: Any) -> int:
    """How many numbers the training of a model moves: of a kernel that changes by its factors, those of the factors."""
    factors = model.optimizer.factors if isinstance(model.optimizer, LowRank) else {}
    pairs = ((parameter, factors.get(id(parameter))) for parameter in model.trainable_weights)
    return sum(one.size if pair is None else pair.down.size + pair.up.size for one, pair in pairs)
