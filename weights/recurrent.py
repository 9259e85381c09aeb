"""Weights of recurrent layers as earlier Keras stored them, to those of today: kernel, recurrent_kernel, bias.

Keras 1 had an array for each gate and role: lstm_1_W_i, lstm_1_U_i, lstm_1_b_i, lstm_1_W_c, ...  CuDNNLSTM and CuDNNGRU
of Keras 2 kept each gate's matrices as cuDNN reads them, turned, and two biases in one row.
Source: keras 2.15, saving/legacy/hdf5_format.py.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import DTypeLike

from .entries import WeightEntry
from .roles import OLD, role_of

GATES = ("ifco", "zrh")  # of LSTM and GRU, in the order in which they lie side by side
OF_GATE = re.compile(r"(.+)_([WUb])_([ifcozrh])(?:_\d+)?(?::0)?")


def modern_weights(entries: list[WeightEntry]) -> list[WeightEntry]:
    """The weights of a legacy layer, or of all layers in one, with the gates of recurrent ones together."""
    return _from_cudnn(_joined(entries))


def _joined(entries: list[WeightEntry]) -> list[WeightEntry]:
    """Keras 1's arrays of single gates side by side; a layer that lacks some keeps what it has."""
    groups: dict[tuple[str, ...], list[WeightEntry]] = {}
    for entry in entries:
        match = OF_GATE.fullmatch(entry.name)
        groups.setdefault((match[1], match[2]) if match else (entry.name,), []).append(entry)
    result: list[WeightEntry] = []
    for key, members in groups.items():
        gates = {match[3]: entry for entry in members if (match := OF_GATE.fullmatch(entry.name))}
        order = next((names for names in GATES if gates.keys() == set(names)), None)
        if order is None or len(members) != len(order):
            result += members
        else:
            result.append(_side_by_side(f"{key[0]}/{OLD[key[1]]}", [gates[name] for name in order]))
    return result


def _side_by_side(name: str, parts: Sequence[WeightEntry]) -> WeightEntry:
    def read(expected_shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> np.ndarray:
        shape = (*expected_shape[:-1], expected_shape[-1] // len(parts))
        return np.concatenate([part.read(shape, dtype) for part in parts], axis=-1)

    return WeightEntry(name, (*parts[0].shape[:-1], sum(part.shape[-1] for part in parts)), parts[0].dtype, read)


def _from_cudnn(entries: list[WeightEntry]) -> list[WeightEntry]:
    """Three weights in a row, the last of them as long as two biases, become those of an LSTM or GRU."""
    result = list(entries)
    for i in range(len(entries) - 2):
        kernel, recurrent, bias = entries[i : i + 3]
        if [role_of(entry.name) for entry in entries[i : i + 3]] != ["kernel", "recurrent_kernel", "bias"]:
            continue
        units = recurrent.shape[0] if len(recurrent.shape) == len(kernel.shape) == 2 else 0
        for gates, convert in ((4, _sum_of_biases), (3, _two_biases)):
            if units and recurrent.shape == (units, gates * units) and bias.shape == (2 * gates * units,):
                turned = [_each_gate(kernel, gates, _reordered), _each_gate(recurrent, gates, np.transpose)]
                result[i : i + 3] = [*turned, convert(bias, gates * units)]
    return result


def _reordered(gate: np.ndarray) -> np.ndarray:
    """The numbers of (units, inputs), row by row, that cuDNN has, as a matrix (inputs, units)."""
    return gate.T.reshape(gate.shape, order="F")


def _each_gate(entry: WeightEntry, gates: int, turn: Callable[[np.ndarray], np.ndarray]) -> WeightEntry:
    def read(expected_shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> np.ndarray:
        stored = np.split(entry.read(expected_shape, dtype), gates, axis=1)
        return np.ascontiguousarray(np.concatenate([turn(gate) for gate in stored], axis=1))

    return replace(entry, read=read)


def _sum_of_biases(entry: WeightEntry, width: int) -> WeightEntry:
    def read(expected_shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> np.ndarray:
        first, second = entry.read((2 * expected_shape[0],), dtype).reshape(2, -1)
        return first + second

    return replace(entry, shape=(width,), read=read)


def _two_biases(entry: WeightEntry, width: int) -> WeightEntry:
    def read(expected_shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> np.ndarray:
        return entry.read((expected_shape[0] * expected_shape[1],), dtype).reshape(expected_shape)

    return replace(entry, shape=(2, width), read=read)
