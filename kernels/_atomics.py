"""Numbers that several threads change at once, for compiled code; each operation is seen by all in one order.

Numba has none for the CPU, so these intrinsics write LLVM's.  `state` is a flat int64 array.
"""

import os
import platform
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as _intrinsic

intrinsic: Any = _intrinsic  # its functions take one argument less than they are written with
STATE = types.int64[::1]
ORDER = "seq_cst"
X86 = platform.machine().lower() in ("x86_64", "amd64", "i686")


def _place(context: Any, builder: Any, args: Any) -> Any:
    """A pointer to state[index]."""
    return builder.gep(context.make_array(STATE)(context, builder, args[0]).data, [args[1]])


@intrinsic
def atomic_add(typing_context, state, index, value):
    """state[index] += value; the number that was there before."""

    def codegen(context, builder, signature, args):
        return builder.atomic_rmw("add", _place(context, builder, args), args[2], ORDER)

    return types.int64(STATE, types.intp, types.int64), codegen


@intrinsic
def atomic_load(typing_context, state, index):
    """state[index], and whatever was written before it was stored."""

    def codegen(context, builder, signature, args):
        return builder.load_atomic(_place(context, builder, args), ORDER, 8)

    return types.int64(STATE, types.intp), codegen


@intrinsic
def atomic_store(typing_context, state, index, value):
    """state[index] = value, after whatever was written before."""

    def codegen(context, builder, signature, args):
        builder.store_atomic(args[2], _place(context, builder, args), ORDER, 8)
        return context.get_dummy_value()

    return types.void(STATE, types.intp, types.int64), codegen


@intrinsic
def atomic_swap_if(typing_context, state, index, expected, value):
    """state[index] = value if it is `expected`; whether it was."""

    def codegen(context, builder, signature, args):
        pair = builder.cmpxchg(_place(context, builder, args), args[2], args[3], ORDER, ORDER)
        return builder.extract_value(pair, 1)

    return types.boolean(STATE, types.intp, types.int64, types.int64), codegen


@intrinsic
def relax(typing_context):
    """A moment's rest in a loop that waits for another thread."""

    def codegen(context, builder, signature, args):
        if X86:
            nothing = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, nothing, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def give_way(typing_context):
    """Let the system run another thread on this core, where there is one that waits."""

    def codegen(context, builder, signature, args):
        if os.name == "posix":
            number = ir.FunctionType(ir.IntType(32), [])
            builder.call(cgutils.get_or_insert_function(builder.module, number, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), codegen
