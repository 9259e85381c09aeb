// CUDA's vector types, with its alignments, and dim3.
#pragma once
#define VECTOR_TYPES(T, name, alignment)                                            \
    struct __attribute__((aligned(alignment))) name##2 {                            \
        T x, y;                                                                     \
    };                                                                              \
    struct name##3 {                                                                \
        T x, y, z;                                                                  \
    };                                                                              \
    struct __attribute__((aligned(2 * alignment > 16 ? 16 : 2 * alignment))) name##4 { \
        T x, y, z, w;                                                               \
    };                                                                              \
    static inline name##2 make_##name##2(T x, T y) { return {x, y}; }               \
    static inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; }       \
    static inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
VECTOR_TYPES(float, float, 8)
VECTOR_TYPES(int, int, 8)
VECTOR_TYPES(unsigned, uint, 8)
VECTOR_TYPES(double, double, 16)
VECTOR_TYPES(long long, longlong, 16)
VECTOR_TYPES(unsigned short, ushort, 4)
VECTOR_TYPES(unsigned char, uchar, 2)
#undef VECTOR_TYPES

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
