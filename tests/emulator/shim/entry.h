// How the host calls a kernel: a function that takes pointers to the arguments, and the kinds of them as a string.
#pragma once

namespace emulator {

template <class A> constexpr char kind() {
    using T = std::remove_cv_t<A>;
    if constexpr (std::is_pointer_v<T>) return 'P';
    else if constexpr (std::is_same_v<T, float>) return 'f';
    else if constexpr (std::is_same_v<T, double>) return 'd';
    else if constexpr (std::is_integral_v<T> && sizeof(T) == 4) return 'i';
    else if constexpr (std::is_integral_v<T> && sizeof(T) == 8) return 'q';
    else return '?';  // build.py refuses it: a struct, whose layout the host could not check
}

template <class... A, size_t... I>
UNWATCHED void apply(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_cv_t<A> *>(arguments[I])...);
}
template <class... A> UNWATCHED void call(void (*kernel)(A...), void **arguments) {
    apply(kernel, arguments, std::index_sequence_for<A...>{});
}
template <class... A> struct Kinds {
    static constexpr char text[] = {kind<A>()..., 0};
};
template <class... A> const char *kinds_of(void (*)(A...)) { return Kinds<A...>::text; }

}  // namespace emulator

#define EMULATOR_ENTRY(kernel)                                                                              \
    extern "C" UNWATCHED void emulator_call_##kernel(void **arguments) { emulator::call(&kernel, arguments); } \
    extern "C" const char *emulator_kinds_##kernel() { return emulator::kinds_of(&kernel); }
