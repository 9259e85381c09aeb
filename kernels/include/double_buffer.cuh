// A product of two matrices slice by slice, where each slice lies in shared memory twice: while the threads multiply
// the ones, they fetch the next into registers, and put them beside, so that nobody waits for memory.
#pragma once

// `steps` times multiply_add(a, b), of the next slices of `left` and `right`.
template <class Left, class Right, class A, class B, class MultiplyAdd>
static __device__ __forceinline__ void double_buffered(Left &left, Right &right, int steps, A (&a)[2], B (&b)[2],
                                                       MultiplyAdd multiply_add) {
    left.fetch(), right.fetch();
    left.put(a[0]), right.put(b[0]);
    __syncthreads();
    for (int step = 0; step < steps; step++) {
        const int next = (step + 1) % 2;
        if (step + 1 < steps) left.fetch(), right.fetch();
        multiply_add(a[step % 2], b[step % 2]);
        if (step + 1 < steps) left.put(a[next]), right.put(b[next]);
        __syncthreads();
    }
}
