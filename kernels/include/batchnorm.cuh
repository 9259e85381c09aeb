// What the kernels of batchnorm share: y = clip(x scale + shift, low, high), and the gradient before the clip.
#pragma once
#include "epilogue.cuh"

struct Affine {
    float scale, shift;
};

// gamma (x - mean) inverse_std + beta, as x scale + shift; of what forward returns, so that backward finds the same.
static __device__ __forceinline__ Affine affine(float gamma, float beta, float mean, float inverse_std) {
    double scale = double(gamma) * inverse_std;
    return {float(scale), float(fma(-double(mean), scale, double(beta)))};
}

// That of channel c; where there is no inverse_std, gamma and beta are scale and shift already.
static __device__ __forceinline__ Affine affine_of(const float *gamma, const float *beta, const float *mean,
                                                   const float *inverse_std, int c) {
    return inverse_std ? affine(gamma[c], beta[c], mean[c], inverse_std[c]) : Affine{gamma[c], beta[c]};
}

static __device__ __forceinline__ float applied(Affine to, float x) { return fmaf(x, to.scale, to.shift); }

// dy times the slope of the activation, which `clips` to low..high or is not there, at the x before both.
static __device__ __forceinline__ float before_clip(Affine to, float x, float dy, float low, float high, int clips) {
    float y = applied(to, x);
    return clips && (y <= low || y >= high) ? dy * 0.0f : dy;
}
