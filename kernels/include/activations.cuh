// y = f(x) and the slope dy/dx of every activation, in float32: the formulas of kernels/activation/reference.py under
// their names there, each above its slope, which may use y.
//
// A comparison is written so that NaN falls through to a branch that gives NaN.  Where the definition would lose digits
// of a float (1 - y y of a tanh near 1, tanh(softplus(x)) of a large negative x) an equal form that keeps them stands.
#pragma once

namespace activation {

static __device__ __forceinline__ float linear(float x) { return x; }

static __device__ __forceinline__ float linear_slope() { return 1; }

static __device__ __forceinline__ float rectifier(float x, float negative_slope, float most, float threshold) {
    if (x <= threshold) return negative_slope ? negative_slope * (x - threshold) : 0;
    return x > most ? most : x;
}

static __device__ __forceinline__ float rectifier_slope(float x, float negative_slope, float most, float threshold) {
    if (x <= threshold) return negative_slope;
    return x >= most ? 0 : 1;
}

static __device__ __forceinline__ float elu(float x, float alpha, float scale) {
    return x > 0 ? scale * x : scale * alpha * expm1f(x);
}

static __device__ __forceinline__ float elu_slope(float x, float y, float alpha, float scale) {
    return x > 0 ? scale : y + scale * alpha;
}

// The probability that a standard normal number is below x.
static __device__ __forceinline__ float normal_probability(float x) { return 0.5f * erfcf(-x * 0.70710678f); }

static __device__ __forceinline__ float gelu(float x) { return x * normal_probability(x); }

static __device__ __forceinline__ float gelu_slope(float x) {
    return normal_probability(x) + x * 0.39894228f * expf(-0.5f * x * x);
}

static __device__ __forceinline__ float tanh_of_gelu(float x) {
    return tanhf(0.79788456f * (x + 0.044715f * x * x * x));
}

static __device__ __forceinline__ float gelu_tanh(float x) { return 0.5f * x * (1 + tanh_of_gelu(x)); }

static __device__ __forceinline__ float gelu_tanh_slope(float x) {
    float t = tanh_of_gelu(x);
    return 0.5f * (1 + t) + 0.5f * x * (1 - t) * (1 + t) * 0.79788456f * (1 + 0.134145f * x * x);
}

static __device__ __forceinline__ float sigmoid(float x) { return 1 / (1 + expf(-x)); }

static __device__ __forceinline__ float sigmoid_slope(float y) { return y * (1 - y); }

static __device__ __forceinline__ float hard_sigmoid(float x, float half) {
    if (x <= -half) return 0;
    return x >= half ? 1 : (x + half) / (2 * half);
}

static __device__ __forceinline__ float hard_sigmoid_slope(float x, float half) {
    return fabsf(x) >= half ? 0 : 1 / (2 * half);
}

static __device__ __forceinline__ float tanh(float x) { return tanhf(x); }

static __device__ __forceinline__ float tanh_slope(float y) { return (1 - y) * (1 + y); }

static __device__ __forceinline__ float softplus(float x) { return (x <= 0 ? 0 : x) + log1pf(expf(-fabsf(x))); }

static __device__ __forceinline__ float softplus_slope(float x) { return sigmoid(x); }

static __device__ __forceinline__ float softsign(float x) { return x / (1 + fabsf(x)); }

static __device__ __forceinline__ float softsign_slope(float x) {
    float inverse = 1 / (1 + fabsf(x));
    return inverse * inverse;
}

static __device__ __forceinline__ float swish(float x) { return x * sigmoid(x); }

static __device__ __forceinline__ float swish_slope(float x) {
    float s = sigmoid(x);
    return s * (1 + x * (1 - s));
}

static __device__ __forceinline__ float hard_swish(float x, float half) { return x * hard_sigmoid(x, half); }

static __device__ __forceinline__ float hard_swish_slope(float x, float half) {
    return hard_sigmoid(x, half) + x * hard_sigmoid_slope(x, half);
}

static __device__ __forceinline__ float exponential(float x) { return expf(x); }

static __device__ __forceinline__ float exponential_slope(float y) { return y; }

// tanh(softplus(x)), rational in exp(x) = p / q, of which the larger is 1.
static __device__ __forceinline__ float tanh_of_mish(float x) {
    float e = expf(-fabsf(x)), p = x > 0 ? 1 : e, q = x > 0 ? e : 1, above = p * (p + 2 * q);
    return above / (above + 2 * q * q);
}

static __device__ __forceinline__ float mish(float x) { return x * tanh_of_mish(x); }

static __device__ __forceinline__ float mish_slope(float x) {
    float t = tanh_of_mish(x);
    return t + x * (1 - t) * (1 + t) * sigmoid(x);
}

// The number by which host code names a formula: its place among FORMULAS of reference.py.
enum Formula {
    LINEAR,
    RECTIFIER,
    ELU,
    GELU,
    GELU_TANH,
    SIGMOID,
    HARD_SIGMOID,
    TANH,
    SOFTPLUS,
    SOFTSIGN,
    SWISH,
    HARD_SWISH,
    EXPONENTIAL,
    MISH
};

// y = f(x); a, b and c are the formula's own numbers, as many as it has.
static __device__ __forceinline__ float value(int formula, float x, float a, float b, float c) {
    switch (formula) {
    case RECTIFIER: return rectifier(x, a, b, c);
    case ELU: return elu(x, a, b);
    case GELU: return gelu(x);
    case GELU_TANH: return gelu_tanh(x);
    case SIGMOID: return sigmoid(x);
    case HARD_SIGMOID: return hard_sigmoid(x, a);
    case TANH: return tanh(x);
    case SOFTPLUS: return softplus(x);
    case SOFTSIGN: return softsign(x);
    case SWISH: return swish(x);
    case HARD_SWISH: return hard_swish(x, a);
    case EXPONENTIAL: return exponential(x);
    case MISH: return mish(x);
    default: return linear(x);
    }
}

// dy/dx at x, where y = f(x).
static __device__ __forceinline__ float slope(int formula, float x, float y, float a, float b, float c) {
    switch (formula) {
    case RECTIFIER: return rectifier_slope(x, a, b, c);
    case ELU: return elu_slope(x, y, a, b);
    case GELU: return gelu_slope(x);
    case GELU_TANH: return gelu_tanh_slope(x);
    case SIGMOID: return sigmoid_slope(y);
    case HARD_SIGMOID: return hard_sigmoid_slope(x, a);
    case TANH: return tanh_slope(y);
    case SOFTPLUS: return softplus_slope(x);
    case SOFTSIGN: return softsign_slope(x);
    case SWISH: return swish_slope(x);
    case HARD_SWISH: return hard_swish_slope(x, a);
    case EXPONENTIAL: return exponential_slope(y);
    case MISH: return mish_slope(x);
    default: return linear_slope();
    }
}

}  // namespace activation
