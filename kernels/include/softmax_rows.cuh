// What the kernels of softmax and of its cross-entropy share that give a row to a warp or to a block.
#pragma once
#include "rows.cuh"
#include "softmax.cuh"

// The largest number m of a row, and the sum of exp(x - m).
struct Powers {
    float most;
    double total;
};

static __device__ __forceinline__ float row_max(float value, float *scratch) {
    return row_folded(value, LEAST, scratch, warp_max);
}

static __device__ __forceinline__ Powers powers_of_row(const float *row, int count, float *largest, double *sums) {
    float most = LEAST;
    each_own(row, count, [&](float value, int) { most = value > most ? value : most; });
    most = row_max(most, largest);
    double total = 0;
    each_own(row, count, [&](float value, int) { total += expf(value - most); });
    return {most, row_sum(total, sums)};
}

// The same from one pass over the row: where a larger number comes, the sum so far is scaled down to it.
// (Milakov & Gimelshein, "Online normalizer calculation for softmax", 2018.)
static __device__ __forceinline__ Powers powers_online(const float *row, int count, float *largest, double *sums) {
    float most = LEAST;
    double total = 0;
    each_own(row, count, [&](float value, int) {
        if (value > most) {
            total = total * expf(most - value) + 1;
            most = value;
        } else
            total += expf(value - most);
    });
    float of_all = row_max(most, largest);
    return {of_all, row_sum(total * expf(most - of_all), sums)};
}
