// Atomics: fibers are switched at no other place than a wait, so a plain change is one; the checker knows it as atomic.
#pragma once

template <class T, class Change> UNWATCHED __noinline__ T emulated_atomic(T *place, Change change) {
    emulator_atomic(place, sizeof(T), __builtin_return_address(0));
    T old = *place;
    *place = change(old);
    return old;
}

#define ATOMIC(name, types, result)                                                          \
    template <class T>                                                                       \
        requires std::types<T>                                                               \
    __forceinline__ T name(T *place, std::type_identity_t<T> v) {                            \
        return emulated_atomic(place, [v]([[maybe_unused]] T old) -> T { return result; });  \
    }
ATOMIC(atomicAdd, is_arithmetic_v, old + v)
ATOMIC(atomicExch, is_arithmetic_v, v)
ATOMIC(atomicSub, is_integral_v, old - v)
ATOMIC(atomicMax, is_integral_v, old > v ? old : v)  // CUDA has none of floats
ATOMIC(atomicMin, is_integral_v, old < v ? old : v)
ATOMIC(atomicOr, is_integral_v, old | v)
ATOMIC(atomicAnd, is_integral_v, old & v)
ATOMIC(atomicXor, is_integral_v, old ^ v)
#undef ATOMIC

template <class T>
    requires std::is_integral_v<T>
__forceinline__ T atomicCAS(T *place, std::type_identity_t<T> expected, std::type_identity_t<T> v) {
    return emulated_atomic(place, [=](T old) -> T { return old == expected ? v : old; });
}
