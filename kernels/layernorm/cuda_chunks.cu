// layernorm on a GPU: dgamma = sum over rows of dy (x - mean) s and dbeta = sum over rows of dy, all (R,C), from chunks
// of rows in many blocks, whose sums are added in order.
//
// LANES comes from cuda_rows.py, which asks _gpu/lanes.py.
#include "chunks.cuh"

extern "C" __global__ void __launch_bounds__(256)
    layernorm_gradient_chunks(const float *x, const float *dy, const float *mean, const float *inverse_std,
                              double *products, double *gradients, long long size, int width, int rows, int channels) {
    __shared__ Lanes<double> scratch[256];
    Part part = part_of(size, width, rows, channels);
    long long first_row = part.first / channels;
    int row_step = part.step / channels;
    Vector sum = all_lanes(0.0f), product = all_lanes(0.0f);
    auto note = [&](Pair pair, int k) {
        long long r = first_row + k * row_step;
        float average = mean[r], scale = inverse_std[r];
#pragma unroll
        for (int l = 0; l < LANES; l++) {
            sum.of[l] += pair.dy.of[l];
            product.of[l] += pair.dy.of[l] * ((pair.x.of[l] - average) * scale);
        }
    };
    each_of(part, x, dy, note);
    auto plus = [](Lanes<double> a, Lanes<double> b) { return a + b; };
    Lanes<double> by_gamma = folded(doubles(product), scratch, plus), by_beta = folded(doubles(sum), scratch, plus);
    if (!part.writes) return;
    store(products + part.result, by_gamma);
    store(gradients + part.result, by_beta);
}

extern "C" __global__ void __launch_bounds__(1024)
    layernorm_gradient_totals(const double *products, const double *gradients, float *dgamma, float *dbeta, int rows,
                              int channels) {
    __shared__ double scratch[1024];
    int c = blockIdx.x * 32 + threadIdx.x;
    double product = column_total(products, rows, channels, c, scratch);
    double sum = column_total(gradients, rows, channels, c, scratch);
    if (threadIdx.y || c >= channels) return;
    dgamma[c] = float(product);
    dbeta[c] = float(sum);
}
