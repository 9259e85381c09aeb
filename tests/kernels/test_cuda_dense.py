"""dense on a GPU, emulated: every tile, sums in chunks, non-finite numbers, stored weights, the default rung."""

from typing import Any

import numpy as np
import pytest
from cuda_extremes import cuda_rungs, rungs_by_direction
from emulator.device import install
from kernel_cases import dense as cases

from minicnn import kernels
from minicnn.errors import UnsupportedError
from minicnn.kernels import dense
from minicnn.kernels._gpu.blocks import SINGLE, TILES, Blocking
from minicnn.kernels._gpu.tensor_cores import Plan
from minicnn.kernels.dense import cuda_stream, cuda_tensor, cuda_tiled

pytestmark = pytest.mark.cuda_emulated
BY_DIRECTION = rungs_by_direction("dense")
every_rung = pytest.mark.parametrize(("direction", "rung"), BY_DIRECTION)
every_rung_forward = pytest.mark.parametrize("rung", cuda_rungs("dense"))
BUILDS = [(tile, 4) for tile in TILES] + [(tile, 1) for tile in SINGLE]
NAMES = ("x", "w", "bias", "residual", "dy")


def case_of(rows: int, inputs: int, outputs: int, activation: str | None = "relu") -> dict[str, Any]:
    """Whole numbers, so that every order of summation gives the same."""
    rng = np.random.default_rng(rows)
    shapes = (rows, inputs), (inputs, outputs), (outputs,), (rows, outputs), (rows, outputs)
    arrays = {name: rng.integers(-3, 4, shape).astype(float) for name, shape in zip(NAMES, shapes)}
    return {**arrays, "activation": activation}


def exact(case: dict[str, Any], rung: str | None, direction: str, mode: str = "fast") -> None:
    """A rung gives the whole numbers of the definition."""
    gpu = install(mode)
    there = {name: gpu.from_host(np.float32(case[name])) for name in NAMES}
    found = gpu.to_host(cases.run(case | there, np.float32, rung, direction))
    np.testing.assert_array_equal(found, cases.run(case, np.float64, "v2_blas", direction))


@every_rung
@pytest.mark.parametrize("sizes", [(3, 1001, 5), (130, 300, 7), (20, 5, 700), (1, 64, 128), (17, 260, 132)])
def test_more_than_a_block_or_a_slice_has(sizes, direction, rung):
    exact(case_of(*sizes), rung, direction)


@pytest.mark.parametrize("direction", dense.ALL)
@pytest.mark.parametrize("rows", cuda_stream.ROWS)
@pytest.mark.parametrize("blocks", [cuda_stream.BLOCKS, 1])  # chunks of less than a slice, and one of three slices
def test_v3_stream_keeps_within_its_arrays_and_has_no_race(blocks, rows, direction, monkeypatch):
    monkeypatch.setattr(cuda_stream, "BLOCKS", blocks)
    for inputs, outputs in ((300, 132), (70, 131)):
        exact(case_of(rows + 1, inputs, outputs), "v3_stream", direction, "checked")


@pytest.mark.parametrize("mode", ["fast", "checked"])
@pytest.mark.parametrize("chunk_steps", [2, 99])
@pytest.mark.parametrize(("tile", "vector"), BUILDS, ids=str)
@pytest.mark.parametrize("direction", dense.ALL)
def test_every_tile_of_v4_tiled(direction, tile, vector, chunk_steps, mode, monkeypatch):
    monkeypatch.setattr(cuda_tiled, "blocking", lambda *shapes: Blocking(*tile, vector, chunk_steps))
    sizes = (136, 44, 132) if vector == 4 else (67, 37, 65)
    exact(case_of(*sizes), "v4_tiled", direction, mode)


@pytest.mark.parametrize("mode", ["fast", "checked"])
@pytest.mark.parametrize("chunk_steps", [1, 99])
@pytest.mark.parametrize("build", [(128, 4), (128, 1), (64, 4), (64, 1)], ids=str)
@pytest.mark.parametrize(("direction", "rung"), [pair for pair in BY_DIRECTION if "tensor" in pair[1]])
def test_every_tile_of_the_tensor_rungs(direction, rung, build, chunk_steps, mode, monkeypatch):
    monkeypatch.setattr(cuda_tensor, "tensor_plan", lambda *sizes: Plan(*build, chunk_steps))
    side, vector = build
    sizes = (side + 4, 36, side + 8) if vector == 4 else (side + 3, 35, side + 1)
    exact(case_of(*sizes), rung, direction, mode)


def test_tensor_cores_are_refused_to_gpus_that_have_none_for_floats(monkeypatch):
    gpu = install()
    monkeypatch.setattr(gpu, "capability", (7, 5))
    x, w = (gpu.from_host(np.ones(shape, np.float32)) for shape in ((2, 3), (3, 4)))
    with pytest.raises(UnsupportedError, match=r"tensor cores need a GPU of compute capability 8\.0"):
        dense.forward(x, w, rung="v5_tensor_tf32")


def test_rows_of_w_are_split_for_a_whole_gpu_and_by_its_shape_alone():
    assert cuda_stream.chunk_of(25088, 4096) == 784
    assert cuda_stream.chunk_of(2048, 1000) == 64
    assert cuda_stream.chunk_of(7, 10) == 7
    assert cuda_stream.chunk_of(64, 1000000) == 64


def test_a_streamed_row_does_not_depend_on_those_beside_it():
    gpu, rng = install(), np.random.default_rng(0)
    x, w = (
        gpu.from_host(rng.standard_normal((16, 300), np.float32)),
        gpu.from_host(rng.standard_normal((300, 70), np.float32)),
    )
    whole = dense.forward(x, w)
    for part in (slice(0, 1), slice(5, 9), slice(3, 16)):
        np.testing.assert_array_equal(dense.forward(x[part], w).get(), whole[part].get())


@pytest.mark.parametrize(("direction", "rung"), [*((direction, None) for direction in dense.ALL), *BY_DIRECTION])
@pytest.mark.parametrize("sizes", [(0, 3, 4), (3, 0, 4), (20, 0, 4), (20, 3, 0), (0, 0, 0)])
def test_nothing_along_an_axis(sizes, direction, rung):
    exact(case_of(*sizes), rung, direction)


@every_rung_forward
@pytest.mark.parametrize("activation", [None, "relu", "relu6", "swish"])
@pytest.mark.parametrize("rows", [3, 40])
def test_nan_stays_in_its_row_and_infinity_in_its_column(rows, activation, rung):
    gpu = install()
    x, w = np.ones((rows, 100), np.float32), np.ones((100, 36), np.float32)
    x[1, 70], w[3, 5] = np.nan, np.inf
    expected = dense.forward(x, w, activation=activation, rung="reference")
    found = dense.forward(gpu.from_host(x), gpu.from_host(w), activation=activation, rung=rung).get()
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def shifted(gpu: Any, array: np.ndarray) -> Any:
    """An array of the device that begins 4 bytes after a multiple of 16."""
    room = gpu.from_host(np.concatenate([[0], array.reshape(-1)]).astype(np.float32))
    return room[1:].reshape(array.shape)


@every_rung
def test_arrays_that_begin_between_16_bytes(direction, rung):
    case, gpu = case_of(5, 72, 36), install("checked")
    there = {name: shifted(gpu, case[name]) for name in NAMES}
    found = cases.run(case | there, np.float32, rung, direction)
    np.testing.assert_array_equal(found.get(), cases.run(case, np.float64, "v2_blas", direction))


@pytest.mark.parametrize("storage", ["bfloat16", "int8"])
def test_stored_weights_are_restored_for_a_gpu(storage):
    gpu, rng = install(), np.random.default_rng(0)
    x, w = rng.standard_normal((5, 40), np.float32), rng.standard_normal((40, 12), np.float32)
    prepared = dense.prepare(gpu.from_host(w), storage)
    np.testing.assert_array_equal(prepared.get(), dense.restored(dense.store(w, storage), w.dtype))
    y = dense.forward(gpu.from_host(x), prepared).get()
    np.testing.assert_allclose(y, dense.forward(x, dense.store(w, storage), rung="v2_blas"), rtol=1e-5, atol=1e-5)


def test_weights_in_float32_are_prepared_as_they_are():
    w = install().from_host(np.ones((3, 4), np.float32))
    assert dense.prepare(w, "float32") is w


@every_rung_forward
def test_stored_weights_are_refused_by_kernels_that_read_float32(rung):
    gpu = install()
    x, stored = gpu.from_host(np.ones((2, 3), np.float32)), dense.store(np.ones((3, 4), np.float32), "int8")
    with pytest.raises(UnsupportedError, match=r"kernels for a GPU read weights in float32; prepare\(\)"):
        dense.forward(x, stored, rung=rung)


def test_weights_are_streamed_for_few_rows_and_tiled_for_many():
    gpu, said = install(), []
    for rows in (1, 16, 17):
        case = case_of(rows, 8, 4)
        there = {name: gpu.from_host(np.float32(case[name])) for name in NAMES}
        with kernels.record() as calls:
            for direction in dense.ALL:
                cases.run(case | there, np.float32, None, direction)
        said += [{rung for _, _, rung in calls}]
    assert said == [{"v3_stream"}, {"v3_stream"}, {"v4_tiled"}]
