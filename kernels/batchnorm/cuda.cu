// batchnorm on a GPU, as it is defined: one thread a channel of x (R,C), with sums in double.
//
//     mean = sum of x / R      variance = sum of (x - mean)^2 / R      s = 1 / sqrt(variance + epsilon)
//     y = clip(gamma (x - mean) s + beta, low, high)
#include "batchnorm.cuh"

extern "C" __global__ void batchnorm_forward_train_v1_direct(const float *x, const float *gamma, const float *beta,
                                                             double epsilon, float low, float high, float *y,
                                                             float *mean, float *variance, float *inverse_std,
                                                             long long rows, int channels) {
    int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c >= channels) return;
    double count = max(rows, 1LL), sum = 0, squares = 0;
    for (long long r = 0; r < rows; r++) sum += x[r * channels + c];
    double average = sum / count;
    for (long long r = 0; r < rows; r++) {
        double deviation = x[r * channels + c] - average;
        squares += deviation * deviation;
    }
    mean[c] = float(average);
    variance[c] = float(squares / count);
    inverse_std[c] = float(1 / sqrt(squares / count + epsilon));
    Affine to = affine(gamma[c], beta[c], mean[c], inverse_std[c]);
    for (long long r = 0; r < rows; r++) y[r * channels + c] = clipped(applied(to, x[r * channels + c]), low, high);
}

struct Sums {
    double gradients, products;  // the sum of g and of g (x - mean), where g is dy before the activation
};

static __device__ Sums gradient_sums(const float *x, const float *dy, Affine to, float mean, float low, float high,
                                     int clips, long long rows, int channels) {
    Sums sums = {0, 0};
    for (long long r = 0; r < rows; r++) {
        float value = x[r * channels], g = before_clip(to, value, dy[r * channels], low, high, clips);
        sums.gradients += g;
        sums.products += double(g) * (value - mean);
    }
    return sums;
}

// dbeta = sum of g     dgamma = sum of g h     dx = gamma s (g - dbeta / R - h dgamma / R),   h = (x - mean) s
extern "C" __global__ void batchnorm_backward_train_v1_direct(const float *x, const float *dy, const float *gamma,
                                                              const float *beta, const float *mean,
                                                              const float *inverse_std, float low, float high,
                                                              int clips, float *dx, float *dgamma, float *dbeta,
                                                              long long rows, int channels) {
    int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c >= channels) return;
    Affine to = affine(gamma[c], beta[c], mean[c], inverse_std[c]);
    Sums sums = gradient_sums(x + c, dy + c, to, mean[c], low, high, clips, rows, channels);
    dbeta[c] = float(sums.gradients);
    double by_gamma = sums.products * inverse_std[c];
    dgamma[c] = float(by_gamma);
    for (long long r = 0; r < rows; r++) {
        float value = x[r * channels + c], g = before_clip(to, value, dy[r * channels + c], low, high, clips);
        double normal = double(value - mean[c]) * inverse_std[c];
        dx[r * channels + c] = float(to.scale * (g - sums.gradients / rows - normal * by_gamma / rows));
    }
}

// y = clip(x scale + shift, low, high): one thread makes one number.
extern "C" __global__ void batchnorm_forward_infer_v1_direct(const float *x, const float *scale, const float *shift,
                                                             float low, float high, float *y, long long count,
                                                             int channels) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    int c = i % channels;
    y[i] = clipped(applied({scale[c], shift[c]}, x[i]), low, high);
}

// The same sums as in training; the statistics being constants, dx = scale g.
extern "C" __global__ void batchnorm_backward_infer_v1_direct(const float *x, const float *dy, const float *scale,
                                                              const float *shift, const float *mean,
                                                              const float *inverse_std, float low, float high,
                                                              int clips, float *dx, float *dgamma, float *dbeta,
                                                              long long rows, int channels) {
    int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c >= channels) return;
    Affine to = {scale[c], shift[c]};
    Sums sums = gradient_sums(x + c, dy + c, to, mean[c], low, high, clips, rows, channels);
    dbeta[c] = float(sums.gradients);
    dgamma[c] = float(sums.products * inverse_std[c]);
    for (long long r = 0; r < rows; r++) {
        long long i = r * channels + c;
        dx[i] = to.scale * before_clip(to, x[i], dy[i], low, high, clips);
    }
}
