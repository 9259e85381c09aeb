// dense on tensor cores, of numbers that are rounded to 16 bits: bfloat16, which has 7 bits of fraction and the range
// of a float, or half, which has 10 and ends at 65504.
//
//     y (R,O) = x (R,I) @ w (I,O)      dx (R,I) = dy (R,O) @ w (I,O) turned      dw (I,O) = x (R,I) turned @ dy (R,O)
//
// and then y = clip(y + bias + residual, low, high).  Numbers are rounded on their way from memory to shared memory,
// which has then room for twice as many; so they go by way of registers, a slice while the one before is multiplied.
//
// The depth is split as in cuda_tiled.cu.
//
// BLOCK and VECTOR, and BFLOAT16 or HALF, come from cuda_tensor.py, which asks _gpu/tensor_cores.py.
#include "numbers.cuh"
#include "product_block.cuh"
#include "tensor_layouts.cuh"

// c (rows,columns) = a (rows,depth) @ b (depth,columns), each of them along k in memory or across it.
template <bool A_ALONG, bool B_ALONG>
static __device__ __forceinline__ void make_tile(const float *a, const float *b, const float *bias,
                                                 const float *residual, float *c, float low, float high, int rows,
                                                 int columns, int depth, int steps, Operand (&of_a)[2],
                                                 Operand (&of_b)[2]) {
    const ProductBlock<BLOCK, BLOCK, BLOCK_K> at(rows, columns, depth, steps);
    Slice<A_ALONG> left(a, at.row0, rows, at.first, depth);
    Slice<B_ALONG> right(b, at.column0, columns, at.first, depth);
    Sums sums = {};
    multiply<A_ALONG, B_ALONG>(left, right, at.steps, of_a, of_b, sums);
    write_tile(sums, bias, residual, c + at.part, low, high, at.row0, at.column0, rows, columns, 0, columns);
}

extern "C" __global__ void __launch_bounds__(THREADS, 2)
    dense_forward_tensor_16(const float *x, const float *w, const float *bias, const float *residual, float *y,
                            float low, float high, int rows, int inputs, int outputs, int steps) {
    __shared__ __align__(16) Operand a[2], b[2];
    make_tile<true, false>(x, w, bias, residual, y, low, high, rows, outputs, inputs, steps, a, b);
}

extern "C" __global__ void __launch_bounds__(THREADS, 2)
    dense_backward_input_tensor_16(const float *dy, const float *w, const float *bias, const float *residual, float *dx,
                                   float low, float high, int rows, int inputs, int outputs, int steps) {
    __shared__ __align__(16) Operand a[2], b[2];
    make_tile<true, true>(dy, w, bias, residual, dx, low, high, rows, inputs, outputs, steps, a, b);
}

extern "C" __global__ void __launch_bounds__(THREADS, 2)
    dense_backward_weights_tensor_16(const float *x, const float *dy, const float *bias, const float *residual,
                                     float *dw, float low, float high, int rows, int inputs, int outputs, int steps) {
    __shared__ __align__(16) Operand a[2], b[2];
    make_tile<false, false>(x, dy, bias, residual, dw, low, high, inputs, outputs, rows, steps, a, b);
}
