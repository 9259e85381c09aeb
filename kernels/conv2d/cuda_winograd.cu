// conv2d with 3x3 kernels by Winograd: images and kernels are evaluated at points, multiplied there, and taken back.
//
//     y = clip(A' [ sum over c of  (G w G') * (B' d B) ] A + bias + residual)
//
// x (N,H,W,C), w (3,3,C,F), y (N,OH,OW,F).  For each of the (M+2)^2 points the sum over channels is a matrix product:
// v (tiles, C) u (C, F) = s (tiles, F), which cuda_product.cu makes of the arrays that these kernels write and read.
//
// A tile of M x M outputs takes (M+2)^2 products where the definition takes 9 M^2: for an output 4 with M = 2, and 2.25
// with M = 4, in the place of 9.  In exchange v and s are written to memory and read again; that pays where each of
// their numbers takes part in many products, with many channels and filters.
//
// Neighbouring threads have neighbouring channels or filters, so that what a warp reads or writes lies side by side.
//
// M comes from cuda_winograd.py.
#include "epilogue.cuh"
#include "winograd.cuh"

// u (points, C, F) = G w G', one thread for each channel and filter.
extern "C" __global__ void conv2d_winograd_kernel(const float *w, float *u, long long count) {
    const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    float taps[3][3], values[POINTS][POINTS];
#pragma unroll
    for (int a = 0; a < 9; a++) taps[a / 3][a % 3] = w[a * count + i];
    both_axes([](const float(&g)[3], float(&p)[POINTS]) { kernel_points(g, p); }, taps, values);
    write_points(values, u + i, count);
}

// v (points, tiles, C) = B' d B for the tiles from `first` on, of which an image has `down` * `across`; one thread for
// each tile and channel, zeros for pixels outside the image.
extern "C" __global__ void conv2d_winograd_image(const float *x, float *v, long long first, long long count, int height,
                                                 int width, int channels, int down, int across, int top, int left) {
    const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    const long long tile = first + i / channels;
    const int row = int(tile / across % down) * M - top, column = int(tile % across) * M - left;
    const float *image = x + tile / across / down * height * width * channels + i % channels;
    float pixels[POINTS][POINTS], values[POINTS][POINTS];
#pragma unroll
    for (int a = 0; a < POINTS; a++)
#pragma unroll
        for (int b = 0; b < POINTS; b++) {
            const bool inside = unsigned(row + a) < unsigned(height) && unsigned(column + b) < unsigned(width);
            pixels[a][b] = inside ? image[((row + a) * width + column + b) * channels] : 0;
        }
    both_axes([](const float(&d)[POINTS], float(&p)[POINTS]) { to_points(d, p); }, pixels, values);
    write_points(values, v + i, count);
}

// y = clip(A' s A + bias + residual) for the tiles from `first` on, s (points, tiles, F); one thread for each tile and
// filter, which writes what of the tile lies inside the output.
extern "C" __global__ void conv2d_winograd_output(const float *s, const float *bias, const float *residual, float *y,
                                                  float low, float high, long long first, long long count,
                                                  int out_height, int out_width, int filters, int down, int across) {
    const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    const long long tile = first + i / filters;
    const int row = int(tile / across % down) * M, column = int(tile % across) * M, f = i % filters;
    float values[POINTS][POINTS], outputs[M][M];
#pragma unroll
    for (int p = 0; p < POINTS * POINTS; p++) values[p / POINTS][p % POINTS] = s[p * count + i];
    both_axes([](const float(&p)[POINTS], float(&o)[M]) { from_points(p, o); }, values, outputs);
    const long long corner = ((tile / across / down * out_height + row) * out_width + column) * filters + f;
#pragma unroll
    for (int a = 0; a < M; a++)
#pragma unroll
        for (int b = 0; b < M; b++) {
            const long long place = corner + ((long long)a * out_width + b) * filters;
            if (row + a < out_height && column + b < out_width)
                y[place] = finished(outputs[a][b], bias, residual, place, f, low, high);
        }
}
