// optimizer_step on a GPU: the formulas of reference.py in one pass, `count` numbers of a parameter w, its gradient g
// and its state, of which an absent array is null.  `decay` is the learning rate times the weight decay.
#include "four.cuh"

// w - r d w, and w itself without weight decay: an infinite parameter stays infinite, as 0 · ∞ is no number.
static __device__ __forceinline__ float shrunk(float w, float decay) { return decay ? w - decay * w : w; }

// v ← m v - r g;  w ← w + v,  or with Nesterov's look-ahead  w ← w + m v - r g;  without v  w ← w - r g.
static __device__ __forceinline__ void sgd(float &w, float g, float &v, bool moving, int nesterov, float rate,
                                           float momentum, float decay) {
    float change = -rate * g;
    if (moving) {
        v = momentum * v + change;
        change = nesterov ? momentum * v + change : v;
    }
    w = shrunk(w, decay) + change;
}

// s ← ρ s + (1-ρ) g²;  u = r g / √(s + ε);  w ← w - u,  or with momentum  v ← m v + u;  w ← w - v.
// Centred, with a ← ρ a + (1-ρ) g, the root is of s - a² + ε, cut off at 0 but for NaN.
static __device__ __forceinline__ void rmsprop(float &w, float g, float &s, float &a, float &v, bool centered,
                                               bool moving, float rate, float keep, float fresh, float momentum,
                                               float epsilon, float decay) {
    s = keep * s + fresh * g * g;
    float variance = s;
    if (centered) {
        a = keep * a + fresh * g;
        variance = s - a * a < 0 ? 0 : s - a * a;
    }
    float change = rate * g / sqrtf(variance + epsilon);
    if (moving) change = v = momentum * v + change;
    w = shrunk(w, decay) - change;
}

// a ← β₁ a + (1-β₁) g;  s ← β₂ s + (1-β₂) g²;  w ← w - rate a / (√s + ε).
// With AMSGrad, l ← max(l, s) takes the place of s under the root.
static __device__ __forceinline__ void adam(float &w, float g, float &a, float &s, float &l, bool amsgrad, float rate,
                                            float keep_1, float fresh_1, float keep_2, float fresh_2, float epsilon,
                                            float decay) {
    a = keep_1 * a + fresh_1 * g;
    s = keep_2 * s + fresh_2 * g * g;
    if (amsgrad && !(l >= s) && l == l) l = s;
    w = shrunk(w, decay) - rate * a / (sqrtf(amsgrad ? l : s) + epsilon);
}

// s ← s + g²;  w ← w - r g / √(s + ε).
static __device__ __forceinline__ void adagrad(float &w, float g, float &s, float rate, float epsilon, float decay) {
    s += g * g;
    w = shrunk(w, decay) - rate * g / sqrtf(s + epsilon);
}

// One thread moves one number.
extern "C" __global__ void optimizer_step_sgd_v1_fused(float *parameter, const float *gradient, float *velocity,
                                                       long long count, int nesterov, float rate, float momentum,
                                                       float decay) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    float w = parameter[i], v = velocity ? velocity[i] : 0;
    sgd(w, gradient[i], v, velocity, nesterov, rate, momentum, decay);
    parameter[i] = w;
    if (velocity) velocity[i] = v;
}

extern "C" __global__ void optimizer_step_rmsprop_v1_fused(float *parameter, const float *gradient, float *square,
                                                           float *mean, float *velocity, long long count, float rate,
                                                           float keep, float fresh, float momentum, float epsilon,
                                                           float decay) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    float w = parameter[i], s = square[i], a = mean ? mean[i] : 0, v = velocity ? velocity[i] : 0;
    rmsprop(w, gradient[i], s, a, v, mean, velocity, rate, keep, fresh, momentum, epsilon, decay);
    parameter[i] = w;
    square[i] = s;
    if (mean) mean[i] = a;
    if (velocity) velocity[i] = v;
}

extern "C" __global__ void optimizer_step_adam_v1_fused(float *parameter, const float *gradient, float *mean,
                                                        float *square, float *largest, long long count, float rate,
                                                        float keep_1, float fresh_1, float keep_2, float fresh_2,
                                                        float epsilon, float decay) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    float w = parameter[i], a = mean[i], s = square[i], l = largest ? largest[i] : 0;
    adam(w, gradient[i], a, s, l, largest, rate, keep_1, fresh_1, keep_2, fresh_2, epsilon, decay);
    parameter[i] = w;
    mean[i] = a;
    square[i] = s;
    if (largest) largest[i] = l;
}

extern "C" __global__ void optimizer_step_adagrad_v1_fused(float *parameter, const float *gradient, float *total,
                                                           long long count, float rate, float epsilon, float decay) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    float w = parameter[i], s = total[i];
    adagrad(w, gradient[i], s, rate, epsilon, decay);
    parameter[i] = w;
    total[i] = s;
}

// The same for four neighbouring numbers a thread, by accesses of 16 bytes (four.cuh).  A state that is absent reads as
// zeros and is not written.
static __device__ __forceinline__ Four state_four(const float *state, long long i, long long left) {
    return state ? read_four(state + i, left) : Four{};
}

static __device__ __forceinline__ void keep_four(float *state, long long i, long long left, const Four &four) {
    if (state) write_four(state + i, left, four);
}

extern "C" __global__ void optimizer_step_sgd_v2_vector(float *parameter, const float *gradient, float *velocity,
                                                        long long count, int nesterov, float rate, float momentum,
                                                        float decay) {
    long long i = 4 * (blockIdx.x * (long long)blockDim.x + threadIdx.x), left = count - i;
    if (left <= 0) return;
    Four w = read_four(parameter + i, left), g = read_four(gradient + i, left), v = state_four(velocity, i, left);
#pragma unroll
    for (int k = 0; k < 4; k++) sgd(w.at[k], g.at[k], v.at[k], velocity, nesterov, rate, momentum, decay);
    write_four(parameter + i, left, w);
    keep_four(velocity, i, left, v);
}

extern "C" __global__ void optimizer_step_rmsprop_v2_vector(float *parameter, const float *gradient, float *square,
                                                            float *mean, float *velocity, long long count, float rate,
                                                            float keep, float fresh, float momentum, float epsilon,
                                                            float decay) {
    long long i = 4 * (blockIdx.x * (long long)blockDim.x + threadIdx.x), left = count - i;
    if (left <= 0) return;
    Four w = read_four(parameter + i, left), g = read_four(gradient + i, left), s = read_four(square + i, left);
    Four a = state_four(mean, i, left), v = state_four(velocity, i, left);
#pragma unroll
    for (int k = 0; k < 4; k++)
        rmsprop(w.at[k], g.at[k], s.at[k], a.at[k], v.at[k], mean, velocity, rate, keep, fresh, momentum, epsilon,
                decay);
    write_four(parameter + i, left, w);
    write_four(square + i, left, s);
    keep_four(mean, i, left, a);
    keep_four(velocity, i, left, v);
}

extern "C" __global__ void optimizer_step_adam_v2_vector(float *parameter, const float *gradient, float *mean,
                                                         float *square, float *largest, long long count, float rate,
                                                         float keep_1, float fresh_1, float keep_2, float fresh_2,
                                                         float epsilon, float decay) {
    long long i = 4 * (blockIdx.x * (long long)blockDim.x + threadIdx.x), left = count - i;
    if (left <= 0) return;
    Four w = read_four(parameter + i, left), g = read_four(gradient + i, left);
    Four a = read_four(mean + i, left), s = read_four(square + i, left), l = state_four(largest, i, left);
#pragma unroll
    for (int k = 0; k < 4; k++)
        adam(w.at[k], g.at[k], a.at[k], s.at[k], l.at[k], largest, rate, keep_1, fresh_1, keep_2, fresh_2, epsilon,
             decay);
    write_four(parameter + i, left, w);
    write_four(mean + i, left, a);
    write_four(square + i, left, s);
    keep_four(largest, i, left, l);
}

extern "C" __global__ void optimizer_step_adagrad_v2_vector(float *parameter, const float *gradient, float *total,
                                                            long long count, float rate, float epsilon, float decay) {
    long long i = 4 * (blockIdx.x * (long long)blockDim.x + threadIdx.x), left = count - i;
    if (left <= 0) return;
    Four w = read_four(parameter + i, left), g = read_four(gradient + i, left), s = read_four(total + i, left);
#pragma unroll
    for (int k = 0; k < 4; k++) adagrad(w.at[k], g.at[k], s.at[k], rate, epsilon, decay);
    write_four(parameter + i, left, w);
    write_four(total + i, left, s);
}
