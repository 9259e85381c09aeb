// dense on tensor cores, of numbers that are rounded to TF32: 10 bits of fraction, and the range of a float.
//
//     y (R,O) = x (R,I) @ w (I,O)      dx (R,I) = dy (R,O) @ w (I,O) turned      dw (I,O) = x (R,I) turned @ dy (R,O)
//
// and then y = clip(y + bias + residual, low, high).  Tensor cores multiply so fast that the next numbers have to be on
// their way long before: STAGES slices of both factors lie in shared memory, copied there by the hardware while the
// warps multiply the oldest (cp.async).  A factor lies there as it does in memory, and is read along k or across it.
//
// The depth is split as in cuda_tiled.cu.
//
// BLOCK and VECTOR come from cuda_tensor.py, which asks _gpu/tensor_cores.py.
#define TF32
#include "numbers.cuh"
#include "product_block.cuh"
#include "tensor_layouts.cuh"

#define STAGES 4

// c (rows,columns) = a (rows,depth) @ b (depth,columns), each of them along k in memory or across it.
template <bool A_ALONG, bool B_ALONG>
static __device__ __forceinline__ void make_tile(const float *a, const float *b, const float *bias,
                                                 const float *residual, float *c, float low, float high, int rows,
                                                 int columns, int depth, int steps, Number *stages) {
    const ProductBlock<BLOCK, BLOCK, BLOCK_K> at(rows, columns, depth, steps);
    Slice<A_ALONG> left(a, at.row0, rows, at.first, depth);
    Slice<B_ALONG> right(b, at.column0, columns, at.first, depth);
    auto copy = [&](int step) {
        Number *stage = stages + step % STAGES * 2 * A_NUMBERS;
        if (step < at.steps) left.copy(stage), right.copy(stage + A_NUMBERS);
        copies_commit();  // an empty group too, so that the oldest is always the one to wait for
    };
    Sums sums = {};
    for (int step = 0; step < STAGES - 1; step++) copy(step);
    for (int step = 0; step < at.steps; step++) {
        copies_wait<STAGES - 2>();
        __syncthreads();
        copy(step + STAGES - 1);  // to where all threads have read
        const Number *stage = stages + step % STAGES * 2 * A_NUMBERS;
        multiply_add<A_ALONG, B_ALONG>(stage, stage + A_NUMBERS, sums);
    }
    copies_wait<0>();
    write_tile(sums, bias, residual, c + at.part, low, high, at.row0, at.column0, rows, columns, 0, columns);
}

extern "C" __global__ void __launch_bounds__(THREADS, 2)
    dense_forward_v5_tensor_tf32(const float *x, const float *w, const float *bias, const float *residual, float *y,
                                 float low, float high, int rows, int inputs, int outputs, int steps) {
    DYNAMIC_SHARED(Number, stages);
    make_tile<true, false>(x, w, bias, residual, y, low, high, rows, outputs, inputs, steps, stages);
}

extern "C" __global__ void __launch_bounds__(THREADS, 2)
    dense_backward_input_v5_tensor_tf32(const float *dy, const float *w, const float *bias, const float *residual,
                                        float *dx, float low, float high, int rows, int inputs, int outputs,
                                        int steps) {
    DYNAMIC_SHARED(Number, stages);
    make_tile<true, true>(dy, w, bias, residual, dx, low, high, rows, inputs, outputs, steps, stages);
}

extern "C" __global__ void __launch_bounds__(THREADS, 2)
    dense_backward_weights_v5_tensor_tf32(const float *x, const float *dy, const float *bias, const float *residual,
                                          float *dw, float low, float high, int rows, int inputs, int outputs,
                                          int steps) {
    DYNAMIC_SHARED(Number, stages);
    make_tile<false, false>(x, dy, bias, residual, dw, low, high, inputs, outputs, rows, steps, stages);
}
