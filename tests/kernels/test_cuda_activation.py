"""activation on a GPU, in the emulator: every formula by its name, parts of arrays, NaN, infinities, in place."""

import numpy as np
import pytest
from cuda_extremes import cuda_rungs, rungs_by_direction
from emulator.device import install
from kernel_cases import activation as cases
from rung_cases import BOUND

from minicnn.kernels import activation

pytestmark = pytest.mark.cuda_emulated
every_rung = pytest.mark.parametrize(("direction", "rung"), rungs_by_direction("activation"))
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-30, -1e-30, 1e30, -1e30])


@every_rung
@pytest.mark.parametrize("name", sorted(activation.ACTIVATIONS))
def test_every_formula_from_end_to_end_of_exp(name, direction, rung):
    rng, gpu = np.random.default_rng(0), install()
    x = np.sort(np.concatenate([rng.uniform(-r, r, 700) for r in (1, 8, 80)])).astype(np.float32).astype(np.float64)
    case = {"x": x, "y": activation.forward(x, name, rung="reference"), "dy": rng.uniform(-2, 2, x.size)}
    case |= {"dy": case["dy"].astype(np.float32).astype(np.float64), "name": name, "parameters": {}}
    expected = cases.run(case, np.float64, "reference", direction)
    there = {key: gpu.from_host(np.float32(case[key])) for key in ("x", "y", "dy")}
    found = gpu.to_host(cases.run(case | there, np.float32, rung, direction))
    assert np.all(np.abs(found - expected) <= BOUND * cases.magnitude(case, direction) + 1e-37)


@every_rung
@pytest.mark.parametrize("name", sorted(activation.ACTIVATIONS))
def test_nan_and_infinities_come_where_the_reference_has_them(name, direction, rung):
    gpu, x = install(), SPECIAL.astype(np.float32)
    arrays = {"x": x, "y": activation.forward(x, name, rung="reference"), "dy": np.ones_like(x)}
    case = {**arrays, "name": name, "parameters": {}}
    wanted = cases.run(case, np.float32, "reference", direction)
    there = {key: gpu.from_host(array) for key, array in arrays.items()}
    found = gpu.to_host(cases.run(case | there, np.float32, rung, direction))
    assert np.array_equal(np.isnan(found), np.isnan(wanted))
    assert np.array_equal(found[np.isinf(wanted)], wanted[np.isinf(wanted)])


@pytest.mark.parametrize("rung", cuda_rungs("activation"))
def test_part_of_an_array_that_begins_anywhere_in_place(rung):
    whole = install("checked").from_host(np.linspace(-1, 1, 23, dtype=np.float32))
    part = whole[1:20]
    assert activation.forward(part, "relu", rung=rung, out=part) is part
    expected = np.linspace(-1, 1, 23, dtype=np.float32)
    expected[1:20] = np.maximum(expected[1:20], 0)
    assert np.array_equal(whole.get(), expected)
