// softmax on a GPU: y[k] = exp(x[k] - m) / sum over j of exp(x[j] - m),   m = the largest x of the row, x (R,K).
//
// v2_warps.  One idea: a warp takes a row, so that its threads read numbers that lie side by side; it finds the largest
// and the sum by shuffles.
// v3_blocks.  One idea: a block takes a row, so that long rows keep many threads busy, also where they are few.
// v4_online.  One idea: the largest and the sum in one pass over the row, which is read twice and not three times.
#include "softmax_rows.cuh"

// y may be x itself: all of a row is read before any of it is written, and then each number before its place.
static __device__ __forceinline__ void write_shares(const float *row, float *y, Powers powers, int logarithm,
                                                    int count) {
    float shift = float(log(powers.total)), share = float(1 / powers.total), most = powers.most;
    each_own(row, count, [=](float value, int k) {
        y[k] = logarithm ? value - most - shift : expf(value - most) * share;
    });
}

extern "C" __global__ void __launch_bounds__(1024)
    softmax_forward_rows(const float *x, float *y, int logarithm, long long rows, int count) {
    __shared__ float largest[32];
    __shared__ double sums[32];
    long long r = own_row();
    if (r >= rows) return;
    Powers powers = powers_of_row(x + r * count, count, largest, sums);
    write_shares(x + r * count, y + r * count, powers, logarithm, count);
}

extern "C" __global__ void __launch_bounds__(1024)
    softmax_forward_v4_online(const float *x, float *y, int logarithm, long long rows, int count) {
    __shared__ float largest[32];
    __shared__ double sums[32];
    long long r = own_row();
    if (r >= rows) return;
    Powers powers = powers_online(x + r * count, count, largest, sums);
    write_shares(x + r * count, y + r * count, powers, logarithm, count);
}

// dx[k] = y[k] (dy[k] - sum of dy y),   or for the logarithm   dx[k] = dy[k] - exp(y[k]) sum of dy
extern "C" __global__ void __launch_bounds__(1024)
    softmax_backward_rows(const float *y, const float *dy, float *dx, int logarithm, long long rows, int count) {
    __shared__ double sums[32];
    long long r = own_row();
    if (r >= rows) return;
    const float *row = y + r * count, *gradients = dy + r * count;
    float *made = dx + r * count;
    double sum = 0;
    each_own(row, gradients, count, [&](Two own, int) { sum += logarithm ? own.b : double(own.a) * own.b; });
    float total = float(row_sum(sum, sums));
    each_own(row, gradients, count, [=](Two own, int k) {
        made[k] = logarithm ? own.b - expf(own.a) * total : own.a * (own.b - total);
    });
}
