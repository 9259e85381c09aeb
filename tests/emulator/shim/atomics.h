// Atomics: fibers are switched at no other place than a wait, so a plain change is one; the checker knows it as atomic.
#pragma once

template <class T, class Change> UNWATCHED __noinline__ T emulated_atomic(T *place, Change change) {
    emulator_access(place, sizeof(T), true, true, __builtin_return_address(0));
    T old = *place;
    *place = change(old);
    return old;
}

#define ATOMIC(name, result)                                                        \
    template <class T> __forceinline__ T name(T *place, std::type_identity_t<T> v) { \
        return emulated_atomic(place, [v]([[maybe_unused]] T old) -> T { return result; }); \
    }
ATOMIC(atomicAdd, old + v)
ATOMIC(atomicSub, old - v)
ATOMIC(atomicExch, v)
ATOMIC(atomicMax, old > v ? old : v)
ATOMIC(atomicMin, old < v ? old : v)
ATOMIC(atomicOr, old | v)
ATOMIC(atomicAnd, old & v)
#undef ATOMIC
template <class T> __forceinline__ T atomicCAS(T *place, T expected, T v) {
    return emulated_atomic(place, [=](T old) -> T { return old == expected ? v : old; });
}
