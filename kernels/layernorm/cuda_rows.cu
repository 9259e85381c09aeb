// layernorm on a GPU: y = gamma (x - mean) s + beta for every row of x (R,C), where
//
//     mean = sum of x / C      s = 1 / sqrt(sum of (x - mean)^2 / C + epsilon)
//
// v2_warps.  One idea: a warp takes a row, so that its threads read numbers that lie side by side; it adds by shuffles.
// v3_blocks.  One idea: a block takes a row, so that long rows keep many threads busy, also where they are few.
#include "rows.cuh"

extern "C" __global__ void __launch_bounds__(1024)
    layernorm_forward_rows(const float *x, const float *__restrict__ gamma, const float *__restrict__ beta,
                           double epsilon, float *y, float *mean, float *inverse_std, long long rows, int channels) {
    __shared__ double scratch[32];
    long long r = own_row();
    if (r >= rows) return;
    const float *row = x + r * channels;
    float *made = y + r * channels;
    double sum = 0, squares = 0;
    each_own(row, channels, [&](float value, int) { sum += value; });
    float average = float(row_sum(sum, scratch) / channels);
    each_own(row, channels, [&](float value, int) { squares += double(value - average) * (value - average); });
    float scale = float(1 / sqrt(row_sum(squares, scratch) / channels + epsilon));
    each_own(row, channels, [=](float value, int c) { made[c] = (value - average) * scale * gamma[c] + beta[c]; });
    if (threadIdx.x) return;
    mean[r] = average;
    inverse_std[r] = scale;
}

// dx = s (g - mean of g - h mean of (g h)),   g = gamma dy,   h = (x - mean) s
extern "C" __global__ void __launch_bounds__(1024)
    layernorm_dx_rows(const float *x, const float *dy, const float *__restrict__ gamma, const float *mean,
                      const float *inverse_std, float *dx, long long rows, int channels) {
    __shared__ double scratch[32];
    long long r = own_row();
    if (r >= rows) return;
    const float *row = x + r * channels, *gradients = dy + r * channels;
    float *made = dx + r * channels, average = mean[r], scale = inverse_std[r];
    double sum = 0, products = 0;
    each_own(row, gradients, channels, [&](Two own, int c) {
        double g = double(gamma[c]) * own.b;
        sum += g;
        products += g * ((own.a - average) * scale);
    });
    float of_g = float(row_sum(sum, scratch) / channels), of_gh = float(row_sum(products, scratch) / channels);
    each_own(row, gradients, channels, [=](Two own, int c) {
        float h = (own.a - average) * scale;
        made[c] = scale * (gamma[c] * own.b - of_g - h * of_gh);
    });
}
