// What the kernels of softmax and of its cross-entropy share: numbers `first`, `first` + `step`, ... of a row of `count`.
#pragma once

// NaN is passed over, since a power of it will spoil the row; where there is nothing larger, the least number there is,
// so that minus infinity less it is no NaN but the power 0.
static __device__ __forceinline__ float largest(const float *row, int count, int first, int step) {
    float most = -3.402823466e38f;
    for (int k = first; k < count; k += step) most = row[k] > most ? row[k] : most;
    return most;
}

static __device__ __forceinline__ double sum_of_powers(const float *row, float most, int count, int first, int step) {
    double sum = 0;
    for (int k = first; k < count; k += step) sum += expf(row[k] - most);
    return sum;
}
