// How the host calls a kernel: a function that takes pointers to the arguments, and the types of them as a string.
#pragma once

namespace emulator {

// NumPy's letter for a type of numbers; '-' for what is none.
template <class T> constexpr char letter() {
    if constexpr (std::is_same_v<T, float>) return 'f';
    else if constexpr (std::is_same_v<T, double>) return 'd';
    else if constexpr (std::is_integral_v<T>) {
        constexpr const char *letters = std::is_signed_v<T> ? "bhiq" : "BHIQ";
        return letters[sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3];
    } else return '-';
}
// 'P' for a pointer, 'C' for one to what is constant, '.' for a number.
template <class A> constexpr char pointer() {
    using T = std::remove_cv_t<A>;
    if constexpr (!std::is_pointer_v<T>) return '.';
    else return std::is_const_v<std::remove_pointer_t<T>> ? 'C' : 'P';
}
template <class A> using Number = std::remove_cv_t<std::remove_pointer_t<std::remove_cv_t<A>>>;

template <class... A, size_t... I>
UNWATCHED void apply(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_cv_t<A> *>(arguments[I])...);
}
template <class... A> UNWATCHED void call(void (*kernel)(A...), void **arguments) {
    apply(kernel, arguments, std::index_sequence_for<A...>{});
}

template <class A> struct Described {
    static constexpr char text[2] = {pointer<A>(), letter<Number<A>>()};
};
template <class... A> struct Types {
    char text[2 * sizeof...(A) + 1] = {};
    constexpr Types() {
        size_t i = 0;
        ((text[i++] = Described<A>::text[0], text[i++] = Described<A>::text[1]), ...);
    }
};
template <class... A> const char *types_of(void (*)(A...)) {
    static constexpr Types<A...> types;
    return types.text;
}

}  // namespace emulator

#define EMULATOR_ENTRY(kernel)                                                                                 \
    extern "C" UNWATCHED void emulator_call_##kernel(void **arguments) { emulator::call(&kernel, arguments); } \
    extern "C" const char *emulator_types_##kernel() { return emulator::types_of(&kernel); }
