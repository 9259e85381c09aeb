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

// The same for four numbers side by side whose bias and residual have been read, zeros where there are none.
static __device__ __forceinline__ float4 four_finished(float4 sum, float4 bias, float4 residual, float low,
                                                       float high) {
    return make_float4(
        clipped(sum.x + bias.x + residual.x, low, high), clipped(sum.y + bias.y + residual.y, low, high),
        clipped(sum.z + bias.z + residual.z, low, high), clipped(sum.w + bias.w + residual.w, low, high));
}
