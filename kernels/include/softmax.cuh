// What the kernels of softmax and of its cross-entropy share, for numbers `first`, `first` + `step`, ... of a row.
#pragma once

// Less than it no number is.  Where a row has nothing larger, x - LEAST is minus infinity, of which the power is 0, and
// not the NaN of minus infinity less itself.
#define LEAST -3.402823466e38f

// NaN is passed over, since a power of it will spoil the row.
static __device__ __forceinline__ float largest(const float *row, int count, int first, int step) {
    float most = LEAST;
    for (int k = first; k < count; k += step) most = row[k] > most ? row[k] : most;
    return most;
}

static __device__ __forceinline__ double sum_of_powers(const float *row, float most, int count, int first, int step) {
    double sum = 0;
    for (int k = first; k < count; k += step) sum += expf(row[k] - most);
    return sum;
}
