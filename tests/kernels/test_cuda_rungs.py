"""Every rung for a GPU against the float64 reference: in the emulator always, on a device by `pytest -m gpu`."""

from typing import Any

import numpy as np
import pytest
from cuda_cases import SPECS, agrees_with_the_reference
from emulator.device import install
from hypothesis import given, settings
from hypothesis import strategies as st

from minicnn import kernels
from minicnn.kernels._device import device

THREAD_ORDERS = (0, 1, 7)  # as numbered, reversed, shuffled
every_rung = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.op}-{spec.direction}-{spec.rung}")


@pytest.mark.cuda_emulated
@every_rung
@settings(max_examples=5)
@given(data=st.data())
def test_rung_keeps_within_its_arrays_and_has_no_race(spec: kernels.KernelSpec, data: st.DataObject):
    agrees_with_the_reference(spec, install("checked"), data)


@pytest.mark.cuda_emulated
@every_rung
@given(data=st.data(), order=st.sampled_from(THREAD_ORDERS))
def test_rung_agrees_with_the_reference_in_the_emulator(spec: kernels.KernelSpec, data: st.DataObject, order: int):
    agrees_with_the_reference(spec, install("fast", order), data)


@pytest.mark.cuda_emulated
def test_a_wrong_number_is_told_with_its_rung_its_place_and_its_error(monkeypatch: pytest.MonkeyPatch):
    spec = next(spec for spec in SPECS if (spec.op, spec.rung) == ("channel_sum", "v1_direct"))
    there = install("fast", 7)

    def off_by_one(array: Any) -> np.ndarray:
        numbers = array.get()
        numbers[-1] += 1
        return numbers

    monkeypatch.setattr(there, "to_host", off_by_one)
    said = (
        r"(?s)channel_sum forward v1_direct .* order of threads 7: x \(.*\nat \(\d+,\) got .* an error of 1, .*; 1 of"
    )

    @settings(max_examples=1, database=None)
    @given(data=st.data())
    def fails(data: st.DataObject) -> None:
        agrees_with_the_reference(spec, there, data)

    with pytest.raises(AssertionError, match=said):
        fails()


@pytest.mark.gpu
@every_rung
@given(data=st.data())
def test_rung_agrees_with_the_reference_on_a_gpu(spec: kernels.KernelSpec, data: st.DataObject):
    agrees_with_the_reference(spec, device("cuda"), data)
