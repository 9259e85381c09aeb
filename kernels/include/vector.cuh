// LANES numbers that lie side by side and are read and written at once: four floats make an access of 16 bytes, the
// most that a thread can make.  Host code chooses LANES (_gpu/lanes.py), so that it divides a row and the places are
// aligned.
#pragma once

#ifndef LANES
#define LANES 4
#endif

template <class T> struct alignas(LANES * sizeof(T) < 16 ? LANES * sizeof(T) : 16) Lanes {
    T of[LANES];
};
typedef Lanes<float> Vector;

static __device__ __forceinline__ Vector loaded(const float *place) { return *reinterpret_cast<const Vector *>(place); }

template <class T> static __device__ __forceinline__ void store(T *place, Lanes<T> vector) {
    *reinterpret_cast<Lanes<T> *>(place) = vector;
}

template <class T> static __device__ __forceinline__ Lanes<T> all_lanes(T value) {
    Lanes<T> made;
#pragma unroll
    for (int l = 0; l < LANES; l++) made.of[l] = value;
    return made;
}

template <class T> static __device__ __forceinline__ Lanes<T> operator+(Lanes<T> a, Lanes<T> b) {
#pragma unroll
    for (int l = 0; l < LANES; l++) a.of[l] += b.of[l];
    return a;
}

static __device__ __forceinline__ Lanes<double> doubles(Vector vector) {
    Lanes<double> made;
#pragma unroll
    for (int l = 0; l < LANES; l++) made.of[l] = vector.of[l];
    return made;
}

// The lanes, as bits, in which two vectors hold the same number, or both NaN.
static __device__ __forceinline__ unsigned equal(Vector a, Vector b) {
    unsigned lanes = 0;
#pragma unroll
    for (int l = 0; l < LANES; l++)
        if (a.of[l] == b.of[l] || (a.of[l] != a.of[l] && b.of[l] != b.of[l])) lanes |= 1u << l;
    return lanes;
}
