"""What the tests of kernels for a GPU share: the cases of all rungs, with their arrays on a device."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from rung_cases import BOUND, assert_close, cases_of, draw_case

from minicnn import kernels
from minicnn.kernels._device import Device

SPECS = kernels.specs("cuda")
ORDERS = ("C", "transposed", "reversed")


def agrees_with_the_reference(spec: kernels.KernelSpec, device: Device, data: st.DataObject) -> None:
    """One drawn case on a rung of the device, against the float64 reference."""
    cases, case = cases_of(spec), draw_case(data, spec)
    expected = cases.run(case, np.float64, "reference", spec.direction)
    there = on_device(case, device, data.draw(st.sampled_from(ORDERS)))
    with kernels.record() as calls:
        found = cases.run(there, np.float32, spec.rung, spec.direction)
    assert (spec.op, spec.direction, spec.rung) in calls
    assert kernels.device_of(found) == device.name
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    result = device.to_host(found)
    try:
        assert_close(result, expected, case, spec)
    except AssertionError as error:
        raise AssertionError(_difference(result, expected, case, spec, device)) from error


def _difference(
    found: np.ndarray, expected: np.ndarray, case: dict[str, Any], spec: kernels.KernelSpec, device: Device
) -> str:
    """The rung and the case in one line, the largest error against its bound in another."""
    bound = np.broadcast_to(BOUND * cases_of(spec).magnitude(case, spec.direction) + 1e-37, found.shape)
    error = np.where(np.isnan(found), np.inf, np.abs(found - expected))
    place = np.unravel_index(np.argmax(error / bound), found.shape)
    shapes = ", ".join(f"{name} {value.shape}" for name, value in case.items() if isinstance(value, np.ndarray))
    return (
        f"{spec.op} {spec.direction} {spec.rung} differs from the reference, order of threads "
        f"{getattr(device, 'order', 'of the GPU')}: {shapes}\n"
        f"at {tuple(map(int, place))} got {found[place]:.9g}, expected {expected[place]:.9g}: an error of "
        f"{error[place]:.3g}, where rounding alone makes {bound[place]:.3g}; {np.sum(error > bound)} of {found.size}"
    )


def on_device(value: Any, device: Device, order: str = "C") -> Any:
    """The arrays of a case on a device, in an order of memory; all else as it is."""
    if isinstance(value, dict):
        return {key: on_device(item, device, order) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(on_device(item, device, order) for item in value)
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype == np.float64:
        value = value.astype(np.float32)
    if order == "transposed":
        return device.from_host(np.ascontiguousarray(value.T)).T
    if order == "reversed" and value.ndim:
        return device.from_host(np.ascontiguousarray(value[::-1]))[::-1]
    return device.from_host(value)
