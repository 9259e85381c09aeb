"""What Numba compiles for: the vector extensions of this CPU, and the register tile that fits its registers."""

from typing import NamedTuple

from llvmlite import binding
from numba.core.codegen import get_host_cpu_features

from ._jit import config


class Tile(NamedTuple):
    """The shape of the register tile."""

    lanes: int  # float32 numbers in one vector register
    rows: int
    vectors: int


def cpu_features() -> set[str]:
    """Names of the vector extensions that Numba compiles for ("avx2", "avx512f", ...).

    They are this CPU's, or those that NUMBA_CPU_FEATURES lists; NUMBA_CPU_NAME alone leaves them as they are.
    """
    listed = get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES
    features = {name[1:] for name in listed.split(",") if name.startswith("+")}
    if binding.get_process_triple().startswith(("aarch64", "arm64")):
        features.add("neon")  # every such CPU has it, and LLVM does not list it everywhere
    return features


def host_tile() -> Tile:
    """The tile that fills, and does not overflow, this CPU's vector registers."""
    features = cpu_features()
    if "avx512f" in features:  # 32 registers of 16: 28 sums, 2 of b, 1 broadcast
        return Tile(16, 14, 2)
    if {"avx2", "fma"} <= features:  # 16 registers of 8: 12 sums, 2 of b, 1 broadcast
        return Tile(8, 6, 2)
    if "neon" in features:  # 32 registers of 4: 24 sums, 3 of b, 1 broadcast
        return Tile(4, 8, 3)
    return Tile(4, 4, 2)  # SSE: 16 registers of 4


TILE = host_tile()
ROWS = TILE.rows
HALF = TILE.rows // 2
COLUMNS = TILE.vectors * TILE.lanes
FUSED = bool({"fma", "avx512f", "neon"} & cpu_features())
