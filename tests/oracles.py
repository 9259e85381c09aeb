"""Answers of others to compare with."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

OPS = Path(__file__).parent / "golden" / "ops.npz"  # float64 Keras 3.15 on TensorFlow


@cache
def _golden_file() -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    with np.load(OPS) as file:
        return json.loads(file["cases"].tobytes()), {name: file[name] for name in file.files}


def golden_ops(*ops: str) -> list[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """(case, its arrays by field) of every golden case of some operations; fails where there is none."""
    cases, arrays = _golden_file()
    found = [
        (case, {key.split("|")[1]: array for key, array in arrays.items() if key.startswith(case["name"] + "|")})
        for case in cases
        if case["op"] in ops
    ]
    assert {case["op"] for case, _ in found} == set(ops)
    return found


def assert_golden(found: np.ndarray, expected: np.ndarray, case: dict[str, Any]) -> None:
    """float64 results agree to 1e-10, or to the case's own tolerance where TensorFlow computes in float32."""
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=case.get("atol", 1e-12), err_msg=case["name"])
