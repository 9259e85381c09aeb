// layernorm on a GPU, as it is defined: one thread a row of x (R,C), with sums in double.
//
//     mean = sum of x / C      s = 1 / sqrt(sum of (x - mean)^2 / C + epsilon)
//     h = (x - mean) s         y = gamma h + beta

extern "C" __global__ void layernorm_forward_v1_direct(const float *x, const float *gamma, const float *beta,
                                                       double epsilon, float *y, float *mean, float *inverse_std,
                                                       long long rows, int channels) {
    long long r = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (r >= rows) return;
    const float *row = x + r * channels;
    double sum = 0, squares = 0;
    for (int c = 0; c < channels; c++) sum += row[c];
    double average = sum / channels;
    for (int c = 0; c < channels; c++) squares += (row[c] - average) * (row[c] - average);
    double scale = 1 / sqrt(squares / channels + epsilon);
    mean[r] = float(average);
    inverse_std[r] = float(scale);
    for (int c = 0; c < channels; c++) y[r * channels + c] = float((row[c] - average) * scale * gamma[c] + beta[c]);
}

// dx = s (g - mean of g - h mean of (g h)),   g = gamma dy
extern "C" __global__ void layernorm_dx_v1_direct(const float *x, const float *dy, const float *gamma,
                                                  const float *mean, const float *inverse_std, float *dx,
                                                  long long rows, int channels) {
    long long r = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (r >= rows) return;
    const float *row = x + r * channels, *gradients = dy + r * channels;
    double average = mean[r], scale = inverse_std[r], sum = 0, products = 0;
    for (int c = 0; c < channels; c++) {
        double g = double(gamma[c]) * gradients[c];
        sum += g;
        products += g * (row[c] - average) * scale;
    }
    for (int c = 0; c < channels; c++) {
        double g = double(gamma[c]) * gradients[c], h = (row[c] - average) * scale;
        dx[r * channels + c] = float(scale * (g - sum / channels - h * products / channels));
    }
}

// dgamma = sum over rows of dy h,   dbeta = sum over rows of dy: one thread a channel.
extern "C" __global__ void layernorm_dgamma_v1_direct(const float *x, const float *dy, const float *mean,
                                                      const float *inverse_std, float *dgamma, float *dbeta,
                                                      long long rows, int channels) {
    int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c >= channels) return;
    double by_gamma = 0, by_beta = 0;
    for (long long r = 0; r < rows; r++) {
        double gradient = dy[r * channels + c];
        by_gamma += gradient * (double(x[r * channels + c]) - mean[r]) * inverse_std[r];
        by_beta += gradient;
    }
    dgamma[c] = float(by_gamma);
    dbeta[c] = float(by_beta);
}
