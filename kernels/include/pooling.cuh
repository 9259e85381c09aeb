// What the kernels of pooling share: on an axis, the window of output i has `taps` places from i step - before on.
#pragma once

// How many of the `taps` places from `start` on lie on an axis of `size`.
static __device__ __forceinline__ int inside(int start, int taps, int size) {
    return min(start + taps, size) - max(start, 0);
}

// The first and the last of the windows that see place p.
static __device__ __forceinline__ int first_window(int p, int taps, int step, int before) {
    return max(0, (p + before - taps + step) / step);
}

static __device__ __forceinline__ int last_window(int p, int step, int before, int outputs) {
    return min((p + before) / step, outputs - 1);
}
