// batchnorm on a GPU: y = clip(gamma (x - mean) s + beta, low, high),   s = 1 / sqrt(variance + epsilon),   x (R,C).
//
// v2_chunks.  One idea: many blocks take chunks of rows, and what they find is combined in order; a second pass over x
// sums the squared deviations from the mean.
// v3_fused.  One idea: mean and squared deviations in one pass over x.
// v4_vector.  The same with LANES channels a thread, which one access of 16 bytes reads or writes.
//
// LANES comes from cuda_chunks.py, which asks _gpu/lanes.py.
#include "batchnorm.cuh"
#include "chunks.cuh"

static __device__ __forceinline__ Lanes<double> plus(Lanes<double> a, Lanes<double> b) { return a + b; }

// ---- statistics, in two passes --------------------------------------------------------------------------------------

extern "C" __global__ void __launch_bounds__(1024)
    batchnorm_mean(const double *sums, double count, float *mean, int rows, int channels) {
    __shared__ double scratch[1024];
    int c = blockIdx.x * 32 + threadIdx.x;
    double sum = column_total(sums, rows, channels, c, scratch);
    if (threadIdx.y == 0 && c < channels) mean[c] = float(sum / count);
}

// Of every chunk, the sum of (x - mean)^2.
extern "C" __global__ void __launch_bounds__(256, 4)
    batchnorm_squares_chunks(const float *x, const float *mean, double *squares, long long size, int width, int rows,
                             int channels) {
    __shared__ Lanes<double> scratch[256];
    Part part = part_of(size, width, rows, channels);
    Vector sum = all_lanes(0.0f), centre = all_lanes(0.0f);
    if (part.count) centre = loaded(mean + part.channel);
    auto note = [&](Vector value, int) {
#pragma unroll
        for (int l = 0; l < LANES; l++) {
            float deviation = value.of[l] - centre.of[l];
            sum.of[l] += deviation * deviation;
        }
    };
    each_of(part, x, note);
    Lanes<double> total = folded(doubles(sum), scratch, plus);
    if (part.writes) store(squares + part.result, total);
}

extern "C" __global__ void __launch_bounds__(1024)
    batchnorm_variance(const double *squares, double count, double epsilon, float *variance, float *inverse_std,
                       int rows, int channels) {
    __shared__ double scratch[1024];
    int c = blockIdx.x * 32 + threadIdx.x;
    double spread = column_total(squares, rows, channels, c, scratch) / count;
    if (threadIdx.y || c >= channels) return;
    variance[c] = float(spread);
    inverse_std[c] = float(1 / sqrt(spread + epsilon));
}

// ---- statistics, in one pass ----------------------------------------------------------------------------------------
//
// The parts of a sum, of n[k] numbers each with a mean m[k] and squared deviations q[k] from it, come together as
//
//     mean = sum of n m / sum of n        squares = sum of q + sum of n (m - mean)^2
//
// (Chan, Golub & LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979).

// Of every chunk: its mean, squares and count.  A thread takes numbers one by one, by Welford's update ("Note on a
// Method for Calculating Corrected Sums of Squares and Products", 1962), less the first of them, so that a mean far
// from zero costs nothing; the parts that come together are its threads.
extern "C" __global__ void __launch_bounds__(256)
    batchnorm_moments_chunks(const float *x, double *means, double *squares, double *counts, long long size, int width,
                             int rows, int channels) {
    __shared__ Lanes<double> scratch[256];
    Part part = part_of(size, width, rows, channels);
    Vector first = all_lanes(0.0f), above = all_lanes(0.0f), sum = all_lanes(0.0f);
    if (part.count) first = loaded(x + part.first);
    auto note = [&](Vector value, int k) {
        float weight = 1.0f / float(k + 1);
#pragma unroll
        for (int l = 0; l < LANES; l++) {
            float shifted = value.of[l] - first.of[l], deviation = shifted - above.of[l];
            above.of[l] += deviation * weight;
            sum.of[l] += deviation * (shifted - above.of[l]);
        }
    };
    each_of(part, x, note);

    Lanes<double> own = doubles(first) + doubles(above), weighted, spread;
#pragma unroll
    for (int l = 0; l < LANES; l++) weighted.of[l] = part.count * own.of[l];
    Lanes<double> mean = folded(weighted, scratch, plus);
#pragma unroll
    for (int l = 0; l < LANES; l++) {
        mean.of[l] /= max(part.rows, 1);
        double between = own.of[l] - mean.of[l];
        spread.of[l] = sum.of[l] + part.count * between * between;
    }
    spread = folded(spread, scratch, plus);
    if (!part.writes) return;
    store(means + part.result, mean);
    store(squares + part.result, spread);
    store(counts + part.result, all_lanes(double(part.rows)));
}

extern "C" __global__ void __launch_bounds__(1024)
    batchnorm_statistics(const double *means, const double *squares, const double *counts, double count,
                         double epsilon, float *mean, float *variance, float *inverse_std, int rows, int channels) {
    __shared__ double scratch[1024];
    int c = blockIdx.x * 32 + threadIdx.x;
    auto weighted = [=](long long i) { return counts[i] * means[i]; };
    double centre = column_sum(rows, channels, c, scratch, weighted) / count;
    auto squared = [=](long long i) {
        double between = means[i] - centre;
        return squares[i] + counts[i] * between * between;
    };
    double spread = column_sum(rows, channels, c, scratch, squared) / count;
    if (threadIdx.y || c >= channels) return;
    mean[c] = float(centre);
    variance[c] = float(spread);
    inverse_std[c] = float(1 / sqrt(spread + epsilon));
}

// ---- y and the gradients --------------------------------------------------------------------------------------------

struct Affines {
    Affine of[LANES];
};

static __device__ __forceinline__ Affines affines_of(const float *gamma, const float *beta, const float *mean,
                                                     const float *inverse_std, int c) {
    Affines made;
#pragma unroll
    for (int l = 0; l < LANES; l++) made.of[l] = affine_of(gamma, beta, mean, inverse_std, c + l);
    return made;
}

// y = clip(x scale + shift, low, high); without inverse_std, gamma and beta are scale and shift.  y may be x itself.
extern "C" __global__ void __launch_bounds__(256)
    batchnorm_apply(const float *x, const float *gamma, const float *beta, const float *mean, const float *inverse_std,
                    float low, float high, float *y, long long size, int width, int rows, int channels) {
    Part part = part_of(size, width, rows, channels);
    if (!part.count) return;
    Affines to = affines_of(gamma, beta, mean, inverse_std, part.channel);
    auto write = [&](Vector value, int k) {
#pragma unroll
        for (int l = 0; l < LANES; l++) value.of[l] = clipped(applied(to.of[l], value.of[l]), low, high);
        store(y + part.first + k * part.step, value);
    };
    each_of(part, x, write);
}

// Of every chunk, the sums of g and of g (x - mean), g being dy before the clip; and, where dx is there, dx = scale g,
// which is all of it when the statistics are constants.
extern "C" __global__ void __launch_bounds__(256)
    batchnorm_gradient_chunks(const float *x, const float *dy, const float *gamma, const float *beta, const float *mean,
                              const float *inverse_std, float low, float high, int clips, float *dx, double *gradients,
                              double *products, long long size, int width, int rows, int channels) {
    __shared__ Lanes<double> scratch[256];
    Part part = part_of(size, width, rows, channels);
    Vector sum = all_lanes(0.0f), product = all_lanes(0.0f), centre;
    Affines to;
    if (part.count) {
        centre = loaded(mean + part.channel);
        to = affines_of(gamma, beta, mean, inverse_std, part.channel);
    }
    auto note = [&](Pair pair, int k) {
        Vector given;
#pragma unroll
        for (int l = 0; l < LANES; l++) {
            float g = before_clip(to.of[l], pair.x.of[l], pair.dy.of[l], low, high, clips);
            sum.of[l] += g;
            product.of[l] += g * (pair.x.of[l] - centre.of[l]);
            given.of[l] = to.of[l].scale * g;
        }
        if (dx) store(dx + part.first + k * part.step, given);
    };
    each_of(part, x, dy, note);
    Lanes<double> by_beta = folded(doubles(sum), scratch, plus), by_gamma = folded(doubles(product), scratch, plus);
    if (!part.writes) return;
    store(gradients + part.result, by_beta);
    store(products + part.result, by_gamma);
}

// dbeta = sum of g and dgamma = s sum of g (x - mean); and, where they are there, what a number of dx takes of both:
// dx = scale g + by_x (x - mean) + constant.
extern "C" __global__ void __launch_bounds__(1024)
    batchnorm_gradient_totals(const double *gradients, const double *products, const float *gamma,
                              const float *inverse_std, double count, float *dgamma, float *dbeta, float *by_x,
                              float *constant, int rows, int channels) {
    __shared__ double scratch[1024];
    int c = blockIdx.x * 32 + threadIdx.x;
    double sum = column_total(gradients, rows, channels, c, scratch);
    double product = column_total(products, rows, channels, c, scratch);
    if (threadIdx.y || c >= channels) return;
    double scale = double(gamma[c]) * inverse_std[c];
    dbeta[c] = float(sum);
    dgamma[c] = float(product * inverse_std[c]);
    if (!by_x) return;
    by_x[c] = float(-scale * inverse_std[c] * inverse_std[c] * product / count);
    constant[c] = float(-scale * sum / count);
}

extern "C" __global__ void __launch_bounds__(256)
    batchnorm_dx(const float *x, const float *dy, const float *gamma, const float *beta, const float *mean,
                 const float *inverse_std, float low, float high, int clips, const float *by_x, const float *constant,
                 float *dx, long long size, int width, int rows, int channels) {
    Part part = part_of(size, width, rows, channels);
    if (!part.count) return;
    int c = part.channel;
    Affines to = affines_of(gamma, beta, mean, inverse_std, c);
    Vector centre = loaded(mean + c), slope = loaded(by_x + c), offset = loaded(constant + c);
    auto write = [&](Pair pair, int k) {
        Vector given;
#pragma unroll
        for (int l = 0; l < LANES; l++) {
            float g = before_clip(to.of[l], pair.x.of[l], pair.dy.of[l], low, high, clips);
            given.of[l] = to.of[l].scale * g + (slope.of[l] * (pair.x.of[l] - centre.of[l]) + offset.of[l]);
        }
        store(dx + part.first + k * part.step, given);
    };
    each_of(part, x, dy, write);
}
