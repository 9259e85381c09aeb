"""The formulas of one optimizer step, one parameter at a time, in plain NumPy.

Every function writes its parameter and its state arrays in place, all of one shape and float dtype.
p is the parameter, g its gradient, r the learning rate, d the weight decay.  Before all else the parameter
shrinks, whatever its gradient:

    p ← p - r d p        (Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019)
"""

import math

import numpy as np

Array = np.ndarray


def optimizer_step_sgd_reference(
    parameter: Array,
    gradient: Array,
    velocity: Array | None,
    learning_rate: float,
    momentum: float,
    nesterov: bool,
    weight_decay: float,
) -> None:
    """v ← m v - r g;  p ← p + v,  or with Nesterov's look-ahead  p ← p + m v - r g;  without v  p ← p - r g.

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
    """
    _shrink(parameter, learning_rate, weight_decay)
    change = -learning_rate * gradient
    if velocity is not None:
        velocity *= momentum
        velocity += change
        change = momentum * velocity + change if nesterov else velocity
    parameter += change


def optimizer_step_rmsprop_reference(
    parameter: Array,
    gradient: Array,
    square: Array,
    mean: Array | None,
    velocity: Array | None,
    learning_rate: float,
    rho: float,
    momentum: float,
    epsilon: float,
    weight_decay: float,
) -> None:
    """s ← ρ s + (1-ρ) g²;  u = r g / √(s + ε);  p ← p - u,  or with momentum  v ← m v + u;  p ← p - v.

    Centred, with a `mean` a ← ρ a + (1-ρ) g, the root is of the variance s - a² + ε.  Only rounding can make
    s - a² negative, so it is cut off at 0 and the root stays a number.

    Source: Tieleman & Hinton, "Neural Networks for Machine Learning", lecture 6.5, 2012; centred: Graves,
    "Generating Sequences With Recurrent Neural Networks", 2013, equations 38-41.
    """
    _shrink(parameter, learning_rate, weight_decay)
    _average(square, np.square(gradient), rho)
    variance = square
    if mean is not None:
        _average(mean, gradient, rho)
        variance = np.maximum(square - np.square(mean), 0)
    change = learning_rate * gradient / np.sqrt(variance + epsilon)
    if velocity is not None:
        velocity *= momentum
        velocity += change
        change = velocity
    parameter -= change


def optimizer_step_adam_reference(
    parameter: Array,
    gradient: Array,
    mean: Array,
    square: Array,
    largest: Array | None,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    weight_decay: float,
    step: int,
) -> None:
    """a ← β₁ a + (1-β₁) g;  s ← β₂ s + (1-β₂) g²;  p ← p - r √(1-β₂ᵗ) / (1-β₁ᵗ) · a / (√s + ε),  t = `step`.

    With `largest` (AMSGrad), l ← max(l, s) takes the place of s under the root.

    Source: Kingma & Ba, "Adam: A Method for Stochastic Optimization", 2015, end of section 2; AMSGrad:
    Reddi et al., "On the Convergence of Adam and Beyond", 2018.
    """
    _shrink(parameter, learning_rate, weight_decay)
    _average(mean, gradient, beta_1)
    _average(square, np.square(gradient), beta_2)
    if largest is not None:
        np.maximum(largest, square, out=largest)
        square = largest
    rate = adam_rate(learning_rate, beta_1, beta_2, step)
    parameter -= rate * mean / (np.sqrt(square) + epsilon)


def optimizer_step_adagrad_reference(
    parameter: Array, gradient: Array, total: Array, learning_rate: float, epsilon: float, weight_decay: float
) -> None:
    """s ← s + g²;  p ← p - r g / √(s + ε).

    Source: Duchi, Hazan & Singer, "Adaptive Subgradient Methods", 2011.
    """
    _shrink(parameter, learning_rate, weight_decay)
    total += np.square(gradient)
    parameter -= learning_rate * gradient / np.sqrt(total + epsilon)


def adam_rate(learning_rate: float, beta_1: float, beta_2: float, step: int) -> float:
    """r √(1-β₂ᵗ) / (1-β₁ᵗ): the rate that makes up for averages that began at zero.

    The powers are those of β rounded to float32, for float64 arrays too.  Keras takes them so, and as β₂ is close to
    1 the difference shows: 1e-5 of the first step.
    """
    beta_1, beta_2 = float(np.float32(beta_1)), float(np.float32(beta_2))
    return learning_rate * math.sqrt(1 - beta_2**step) / (1 - beta_1**step)


def _shrink(parameter: Array, learning_rate: float, weight_decay: float) -> None:
    """p ← p - r d p."""
    if weight_decay:
        parameter -= learning_rate * weight_decay * parameter


def _average(average: Array, value: Array, keep: float) -> None:
    """a ← k a + (1-k) x."""
    average *= keep
    average += (1 - keep) * value
