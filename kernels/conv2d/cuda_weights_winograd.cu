// The weight gradient of conv2d by Winograd: image and dy meet at the points, and sums over all tiles go back to taps.
//
//     dw (3,3,C,F) = G' [ sum over tiles of (A dy A') * (B' d B) ] G          (kernels/conv2d/_winograd.py)
//
// For each of the 36 points the sum is a matrix product: v (tiles, C) transposed @ z (tiles, F), of which v is written
// by cuda_winograd.cu and the product made by cuda_weights_product.cu.  A tile of 4 x 4 pixels of dy takes 36 products
// where cuda_weights_blocked.cu takes 144.  Neighbouring threads have neighbouring filters.
#define M 4
#include "winograd.cuh"

FORMULA gradient_points(const float (&dy)[4], float (&z)[6]) {
    const float even = dy[0] + dy[2], odd = dy[1] + dy[3];
    const float even_2 = dy[0] + dy[2] * 4.0f, odd_2 = dy[1] * 2.0f + dy[3] * 8.0f;
    z[0] = dy[0], z[1] = even + odd, z[2] = even - odd, z[3] = even_2 + odd_2, z[4] = even_2 - odd_2, z[5] = dy[3];
}

FORMULA taps_from_points(const float (&s)[6], float (&g)[3]) {
    const float even = (s[1] + s[2]) * (-1 / 6.0f), odd = (s[2] - s[1]) * (1 / 6.0f);
    const float even_2 = s[3] + s[4], odd_2 = (s[3] - s[4]) * (1 / 12.0f);
    g[0] = s[0] * 0.25f + even + even_2 * (1 / 24.0f), g[1] = odd + odd_2, g[2] = even + even_2 * (1 / 6.0f) + s[5];
}

// z (points, tiles, F) = A dy A' for the tiles from `first` on, of which an image has `down` * `across`; one thread for
// each tile and filter, zeros for what lies outside dy.
extern "C" __global__ void conv2d_winograd_gradient(const float *dy, float *z, long long first, long long count,
                                                    int out_height, int out_width, int filters, int down, int across) {
    const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    const long long tile = first + i / filters;
    const int row = int(tile / across % down) * M, column = int(tile % across) * M;
    const float *image = dy + tile / across / down * out_height * out_width * filters + i % filters;
    float gradients[M][M], values[POINTS][POINTS];
#pragma unroll
    for (int a = 0; a < M; a++)
#pragma unroll
        for (int b = 0; b < M; b++) {
            const bool inside = row + a < out_height && column + b < out_width;
            gradients[a][b] = inside ? image[((row + a) * out_width + column + b) * filters] : 0;
        }
    both_axes([](const float(&d)[M], float(&p)[POINTS]) { gradient_points(d, p); }, gradients, values);
    write_points(values, z + i, count);
}

// dw = G' s G, s being the sum of parts (chunks, points, C, F) in their order; a thread for each channel and filter.
extern "C" __global__ void conv2d_winograd_taps(const float *parts, float *dw, long long count, int chunks) {
    const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    float values[POINTS][POINTS] = {}, taps[3][3];
    for (int chunk = 0; chunk < chunks; chunk++)
#pragma unroll
        for (int p = 0; p < POINTS * POINTS; p++)
            values[p / POINTS][p % POINTS] += parts[((long long)chunk * POINTS * POINTS + p) * count + i];
    both_axes([](const float(&s)[POINTS], float(&g)[3]) { taps_from_points(s, g); }, values, taps);
#pragma unroll
    for (int a = 0; a < 9; a++) dw[a * count + i] = taps[a / 3][a % 3];
}
