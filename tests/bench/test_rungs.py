"""What is timed is right: every rung of every operation is compared with the definition first."""

import numpy as np
import pytest

from minicnn import kernels
from minicnn.bench import rungs
from minicnn.bench.cases import BUILDERS, Case, Layer, cases, operations
from minicnn.errors import ArgumentError

pytestmark = pytest.mark.numpy_only
SMALL = {
    "conv2d": Layer((5, 5, 3), (3, 3), 4),
    "depthwise_conv2d": Layer((5, 5, 3), (3, 3), 2, (2, 2)),
    "conv2d_transpose": Layer((3, 3, 2), (4, 4), 3, (2, 2)),
    "dense": Layer((6,), filters=5),
    "maxpool2d": Layer((5, 5, 3), (2, 2), strides=(2, 2), padding="valid"),
    "avgpool2d": Layer((5, 5, 3), (2, 2), strides=(2, 2), padding="valid"),
    "softmax": Layer((7,)),
    "softmax_crossentropy": Layer((7,)),
    "optimizer_step": Layer((9,)),
    "embedding": Layer((4, 3), filters=5),
}


def small(op: str) -> list[Case]:
    return list(cases(op, "small", SMALL.get(op, Layer((4, 4, 3))), 2))


@pytest.mark.parametrize("op", operations())
def test_every_direction_is_checked_and_timed_on_every_rung_that_can(op):
    for case in small(op):
        rows = rungs.measure(case, rungs.wanted(case, None), rounds=1, slow=10.0)
        found = [row["rung"] for row in rows]
        assert found[0] == "reference"
        assert set(found) <= set(rungs.rungs_of(case))
        assert all(row["error"] <= rungs.TOLERANCE and row["seconds"] > 0 and row["runs"] == 1 for row in rows)
        assert {row["unit"] for row in rows} == {"GFLOP/s" if case.flops else "GB/s"}
        assert case.moved > 0


def test_every_operation_with_a_choice_of_rungs_has_cases():
    pytest.importorskip("numba")
    assert set(BUILDERS) == {op for op in kernels.operations() if len(kernels.rungs(op)) > 1}


def test_operations_are_counted_as_the_definition_has_them():
    forward, *_ = small("conv2d")
    assert forward.flops == 2 * (2 * 5 * 5 * 4) * 27
    assert forward.moved == 4 * (2 * 5 * 5 * 3 + 27 * 4 + 2 * 5 * 5 * 4)
    (transposed, *_), (dense, *_) = small("conv2d_transpose"), small("dense")
    assert transposed.flops == 2 * (2 * 6 * 6 * 3) * (16 // 4 * 2)
    assert dense.flops == 2 * 2 * 6 * 5
    assert dense.work == pytest.approx(dense.flops / 1e9)


def test_a_rung_that_is_wrong_is_not_timed(monkeypatch):
    case = small("dense")[0]
    right = rungs.outputs
    monkeypatch.setattr(
        rungs, "outputs", lambda call, rung, dtype=None: [a + (dtype is None) for a in right(call, rung, dtype)]
    )
    with pytest.raises(ArithmeticError, match="dense forward on rung reference"):
        rungs.measure(case, ["reference"], rounds=1, slow=10.0)


def test_not_a_number_is_wrong():
    assert not rungs.error_of([np.array([np.nan])], [np.array([1.0])]) <= rungs.TOLERANCE


def test_the_judge_is_the_reference_where_its_loops_are_quick():
    assert rungs.judge(small("conv2d")[0])[0] == "reference"
    large = next(cases("conv2d", "large", Layer((40, 40, 16), (3, 3), 16), 1))
    rung, (y,) = rungs.judge(large)
    assert rung == "v2_im2col"
    assert y.dtype == np.float64
    assert "reference" not in rungs.wanted(large, None)
    assert rungs.wanted(large, ["reference"]) == ["reference"], "asked for by name"


def test_operands_are_not_changed_by_a_check():
    case = next(case for case in small("optimizer_step") if case.direction == "sgd")
    before = [a.copy() for a in case.call.args]
    rungs.outputs(case.call, "reference")
    assert all(np.array_equal(a, b) for a, b in zip(before, case.call.args))


def test_a_rung_that_is_not_there_is_refused():
    with pytest.raises(ArgumentError, match="conv2d has no rung 'v9' here; it has reference, "):
        rungs.wanted(small("conv2d")[0], ["v9"])


def test_what_is_chosen_is_what_runs():
    pytest.importorskip("numba")
    if not kernels.numba_wanted():
        pytest.skip("NumPy is asked for")
    case = next(cases("conv2d", "3x3", Layer((28, 28, 64), (3, 3), 64), 1))
    call, prediction = rungs.chosen(case)
    with kernels.record() as calls:
        case.call()
        case.ready(None)()
    assert [rung for *_, rung in calls] == [call, prediction]
    assert prediction == "v6_winograd_4"


def test_a_prepared_call_runs_on_its_rung_with_the_same_result():
    pytest.importorskip("numba")
    case = small("conv2d")[0]
    for rung in ("v3_tiled", "v4_blocked", "v5_winograd_2"):
        with kernels.record() as calls:
            y = case.ready(rung)()
        assert [found for *_, found in calls] == [rung]
        np.testing.assert_allclose(y, rungs.outputs(case.call, "v2_im2col")[0], rtol=1e-4, atol=1e-4)
