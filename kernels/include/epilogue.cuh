// What a kernel does with a finished sum before it is written: y = clip(sum + bias + residual, low, high).
#pragma once

// NaN stays.
static __device__ __forceinline__ float clipped(float value, float low, float high) {
    value = value < low ? low : value;
    return value > high ? high : value;
}

// `i` is the place of the number in y and in the residual, `f` its channel; bias and residual may be absent.
static __device__ __forceinline__ float finished(float sum, const float *bias, const float *residual, long long i,
                                                 int f, float low, float high) {
    if (bias) sum += bias[f];
    if (residual) sum += residual[i];
    return clipped(sum, low, high);
}

// The same for four numbers side by side, all of them on 16 bytes.
static __device__ __forceinline__ float4 four_finished(float4 sum, const float *bias, const float *residual,
                                                       long long i, int f, float low, float high) {
    const float4 none = make_float4(0, 0, 0, 0);
    const float4 b = bias ? *(const float4 *)(bias + f) : none, r = residual ? *(const float4 *)(residual + i) : none;
    const float ends[4] = {sum.x + b.x + r.x, sum.y + b.y + r.y, sum.z + b.z + r.z, sum.w + b.w + r.w};
    float results[4];
#pragma unroll
    for (int q = 0; q < 4; q++) results[q] = clipped(ends[q], low, high);
    return make_float4(results[0], results[1], results[2], results[3]);
}
