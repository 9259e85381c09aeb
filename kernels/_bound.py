"""A kernel bound to its arguments: a machine function and a piece of memory, all kernels in one form.

    status = function(start, stop, memory)

Compiled code can call such a pair without Python and without knowing what the arguments are.  So the blocks of a kernel
are shared out among threads by compiled code (`_pool.py`), and a whole network is one list of pairs.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic as _intrinsic

from ._compile_cache import CompileCache
from ._emitter import NUMBER

intrinsic: Any = _intrinsic  # its functions take one argument less than they are written with
njit: Any = numba.njit  # nor do its types know all options
MEMORY = types.uint8[::1]
ROOM = 2048  # bytes for the arguments of one kernel
STATUS = ir.IntType(32)
ADDRESS = ir.IntType(8).as_pointer()
FUNCTION = ir.FunctionType(STATUS, [NUMBER, NUMBER, ADDRESS])


@cache
def binder(kernel: Any) -> Callable[..., int]:
    """bind(memory, *arguments): write the arguments to `memory`, return the address of the function."""
    store = _make_store(kernel)

    def bind(memory: np.ndarray, *arguments: Any) -> int:
        return store(memory, arguments)

    compiled: Any = njit(no_cfunc_wrapper=True)(bind)
    compiled._cache = _BoundCache(kernel)
    return compiled


class _BoundCache(CompileCache):
    """The cache of a binder, which calls a kernel that was compiled apart: it is loaded first, and part of the key."""

    def __init__(self, kernel: Any):
        super().__init__(kernel.py_func)
        self.kernel = kernel

    def key(self, signature: Any, codegen: Any) -> str:
        _, arguments = getattr(signature, "args", signature)
        argument_types = types.intp, types.intp, *arguments.types
        self.kernel.compile(argument_types)
        name = self.kernel.overloads[argument_types].fndesc.llvm_func_name
        return f"bound {name} {super().key(signature, codegen)}"


def _make_store(kernel: Any) -> Any:
    kernel_type: Any = numba.typeof(kernel)

    @intrinsic
    def store(typing_context, memory, arguments):
        signature = kernel_type.get_call_type(typing_context, (types.intp, types.intp, *arguments.types), {})

        def codegen(context, builder, _, values):
            function = _write_function(context, builder.module, kernel, signature, values[1].type)
            if context.get_abi_sizeof(values[1].type) > ROOM:
                raise AssertionError(f"{kernel.__name__} has more arguments than fit {ROOM} bytes")
            place = context.make_array(MEMORY)(context, builder, values[0]).data
            place = builder.bitcast(place, values[1].type.as_pointer())
            builder.store(_without_owners(context, builder, arguments, values[1]), place).align = 8
            return builder.ptrtoint(function, NUMBER)

        return types.intp(MEMORY, arguments), codegen

    return store


def _write_function(context: Any, module: Any, kernel: Any, signature: Any, packed_type: Any) -> ir.Function:
    """The function that takes the arguments from memory and calls the kernel."""
    compiled = kernel.get_compile_result(signature)
    function = ir.Function(module, FUNCTION, module.get_unique_name("minicnn.bound"))
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    start, stop, memory = function.args
    packed: Any = builder.load(builder.bitcast(memory, packed_type.as_pointer()))
    packed.align = 8
    unpacked = [builder.extract_value(packed, i) for i in range(len(packed_type.elements))]
    status, _ = context.call_internal_no_propagate(builder, compiled.fndesc, signature, [start, stop, *unpacked])
    builder.ret(builder.zext(status.is_error, STATUS))
    return function


def _without_owners(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """The value without its references to Python's objects: the caller keeps these alive, nobody counts them here."""
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        array.meminfo, array.parent = (ir.Constant(field.type, None) for field in (array.meminfo, array.parent))
        return array._getvalue()
    if isinstance(kind, types.BaseTuple):
        elements: Any = kind
        for i, element in enumerate(elements):
            inner = _without_owners(context, builder, element, builder.extract_value(value, i))
            value = builder.insert_value(value, inner, i)
    return value


@intrinsic
def call_bound(typing_context, function, start, stop, memory):
    """Blocks start..stop-1 of a bound kernel; not 0 when it failed."""

    def codegen(context, builder, signature, args):
        target = builder.inttoptr(args[0], FUNCTION.as_pointer())
        return builder.call(target, [args[1], args[2], builder.inttoptr(args[3], ADDRESS)])

    return types.int32(types.intp, types.intp, types.intp, types.intp), codegen
