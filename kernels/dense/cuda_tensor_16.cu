// dense on tensor cores, of numbers that are rounded to 16 bits: bfloat16, which has 8 bits of precision and the range
// of a float, or half, which has 11 bits and ends at 65504.
//
//     y (R,O) = x (R,I) @ w (I,O)      dx (R,I) = dy (R,O) @ w (I,O) turned      dw (I,O) = x (R,I) turned @ dy (R,O)
//
// and then y = clip(y + bias + residual, low, high).  Numbers are rounded on their way from memory to shared memory,
// which has then room for twice as many; so they go by way of registers, a slice while the one before is multiplied.
//
// The depth is split as in cuda_tiled.cu.
#include "numbers.cuh"
#include "product_block.cuh"
#include "tensor_layouts.cuh"

typedef Number Slices[2][A_NUMBERS];

// c (rows,columns) = a (rows,depth) @ b (depth,columns), each of them along k in memory or across it.
template <bool A_ALONG, bool B_ALONG>
static __device__ __forceinline__ void make_tile(const float *a, const float *b, const float *bias,
                                                 const float *residual, float *c, float low, float high, int rows,
                                                 int columns, int depth, int steps, Slices &of_a, Slices &of_b) {
    const ProductBlock<BLOCK, BLOCK, BLOCK_K> at(rows, columns, depth, steps);
    Slice<A_ALONG> left(a, at.row0, rows, at.first, depth);
    Slice<B_ALONG> right(b, at.column0, columns, at.first, depth);
    Sums sums = {};
    left.fetch(), right.fetch();
    left.put(of_a[0]), right.put(of_b[0]);
    __syncthreads();
    for (int step = 0; step < at.steps; step++) {
        const int next = (step + 1) % 2;
        if (step + 1 < at.steps) left.fetch(), right.fetch();
        multiply_add_layouts<A_ALONG, B_ALONG>(of_a[step % 2], of_b[step % 2], sums);
        if (step + 1 < at.steps) left.put(of_a[next]), right.put(of_b[next]);
        __syncthreads();
    }
    write_tile(sums, bias, residual, c + at.part, low, high, at.row0, at.column0, rows, columns, 0, columns);
}

extern "C" __global__ void __launch_bounds__(THREADS, 2)
    dense_forward_tensor_16(const float *x, const float *w, const float *bias, const float *residual, float *y,
                            float low, float high, int rows, int inputs, int outputs, int steps) {
    __shared__ __align__(16) Slices a, b;
    make_tile<true, false>(x, w, bias, residual, y, low, high, rows, outputs, inputs, steps, a, b);
}

extern "C" __global__ void __launch_bounds__(THREADS, 2)
    dense_backward_input_tensor_16(const float *dy, const float *w, const float *bias, const float *residual, float *dx,
                                   float low, float high, int rows, int inputs, int outputs, int steps) {
    __shared__ __align__(16) Slices a, b;
    make_tile<true, true>(dy, w, bias, residual, dx, low, high, rows, inputs, outputs, steps, a, b);
}

extern "C" __global__ void __launch_bounds__(THREADS, 2)
    dense_backward_weights_tensor_16(const float *x, const float *dy, const float *bias, const float *residual,
                                     float *dw, float low, float high, int rows, int inputs, int outputs, int steps) {
    __shared__ __align__(16) Slices a, b;
    make_tile<false, false>(x, dy, bias, residual, dw, low, high, inputs, outputs, rows, steps, a, b);
}
