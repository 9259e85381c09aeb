// softmax_crossentropy on a GPU: for logits x and targets t (N,K), with the largest x of a row m,
//
//     z = sum over j of exp(x[j] - m)      p[k] = exp(x[k] - m) / z
//     loss = sum over k of t[k] (log z - (x[k] - m)),   without the classes of target 0
//
// v2_warps.  One idea: a warp takes a row, so that its threads read numbers that lie side by side; it finds the largest
// and the sums by shuffles.
// v3_blocks.  One idea: a block takes a row, so that long rows keep many threads busy, also where they are few.
// v4_online.  One idea: the largest and the sum of powers in one pass over the row, which is read twice and not three
// times.
#include "softmax_rows.cuh"

static __device__ __forceinline__ void write_loss(const float *row, const float *t, float *loss, float *p,
                                                  Powers powers, int count, double *sums) {
    float log_z = float(log(powers.total)), share = float(1 / powers.total), most = powers.most;
    double sum = 0;
    each_own(row, t, count, [&](Two own, int k) {
        float above = own.a - most;
        if (own.b != 0) sum += double(own.b) * (log_z - above);
        p[k] = expf(above) * share;
    });
    sum = row_sum(sum, sums);
    if (threadIdx.x == 0) *loss = float(sum);
}

extern "C" __global__ void __launch_bounds__(1024)
    softmax_crossentropy_forward_rows(const float *x, const float *t, float *loss, float *p, long long rows,
                                      int count) {
    __shared__ float largest[32];
    __shared__ double sums[32];
    long long n = own_row(), i = n * count;
    if (n >= rows) return;
    write_loss(x + i, t + i, loss + n, p + i, powers_of_row(x + i, count, largest, sums), count, sums);
}

extern "C" __global__ void __launch_bounds__(1024)
    softmax_crossentropy_forward_v4_online(const float *x, const float *t, float *loss, float *p, long long rows,
                                           int count) {
    __shared__ float largest[32];
    __shared__ double sums[32];
    long long n = own_row(), i = n * count;
    if (n >= rows) return;
    write_loss(x + i, t + i, loss + n, p + i, powers_online(x + i, count, largest, sums), count, sums);
}

// dx[k] = (p[k] sum over j of t[j] - t[k]) dloss
extern "C" __global__ void __launch_bounds__(1024)
    softmax_crossentropy_backward_rows(const float *p, const float *t, const float *dloss, float *dx, long long rows,
                                       int count) {
    __shared__ double sums[32];
    long long n = own_row(), i = n * count;
    if (n >= rows) return;
    double sum = 0;
    each_own(t + i, count, [&](float target, int) { sum += target; });
    float total = float(row_sum(sum, sums)), scale = dloss[n];
    each_own(p + i, t + i, count, [=](Two own, int k) { dx[i + k] = (own.a * total - own.b) * scale; });
}
