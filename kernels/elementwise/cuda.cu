// elementwise on a GPU: y = clip(a ∘ b, low, high), for a and b that broadcast to `count` numbers.
#include "broadcast.cuh"
#include "epilogue.cuh"

enum Combination { ADD, MULTIPLY, MAXIMUM };

// a ∘ b; the maximum is NaN where either is.
static __device__ __forceinline__ float combined(int combination, float a, float b) {
    if (combination == ADD) return a + b;
    if (combination == MULTIPLY) return a * b;
    return a >= b || a != a ? a : b;
}

// One thread makes one number.
extern "C" __global__ void elementwise_v1_direct(const float *a, const float *b, float *y, int combination, float low,
                                                 float high, long long count, long long n1, long long n2, long long n3,
                                                 long long a0, long long a1, long long a2, long long a3, long long b0,
                                                 long long b1, long long b2, long long b3) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    float first = a[place_in(i, n1, n2, n3, a0, a1, a2, a3)], second = b[place_in(i, n1, n2, n3, b0, b1, b2, b3)];
    y[i] = finished(combined(combination, first, second), nullptr, nullptr, i, 0, low, high);
}

// One thread makes four neighbours of a row (n3), by accesses of 16 bytes (four.cuh); of an operand that is repeated
// along it, it reads one number.
extern "C" __global__ void elementwise_v2_vector(const float *a, const float *b, float *y, int combination, float low,
                                                 float high, long long count, long long n1, long long n2, long long n3,
                                                 long long a0, long long a1, long long a2, long long a3, long long b0,
                                                 long long b1, long long b2, long long b3) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x, fours = (n3 + 3) / 4;
    long long row = i / fours, first = i % fours * 4, left = n3 - first;
    if (row * n3 >= count) return;
    Four x = four_of_row(a + row_in(row, n1, n2, a0, a1, a2), first, left, a3);
    Four z = four_of_row(b + row_in(row, n1, n2, b0, b1, b2), first, left, b3);
#pragma unroll
    for (int k = 0; k < 4; k++)
        x.at[k] = finished(combined(combination, x.at[k], z.at[k]), nullptr, nullptr, 0, 0, low, high);
    write_four(y + row * n3 + first, left, x);
}

// da = dy where a >= b, db = dy elsewhere, both of dy's shape.
extern "C" __global__ void elementwise_maximum_backward_v1_direct(const float *a, const float *b, const float *dy,
                                                                  float *da, float *db, long long count, long long n1,
                                                                  long long n2, long long n3, long long a0,
                                                                  long long a1, long long a2, long long a3,
                                                                  long long b0, long long b1, long long b2,
                                                                  long long b3) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    bool first = a[place_in(i, n1, n2, n3, a0, a1, a2, a3)] >= b[place_in(i, n1, n2, n3, b0, b1, b2, b3)];
    da[i] = dy[i] * (first ? 1 : 0);
    db[i] = dy[i] * (first ? 0 : 1);
}

// y (outer,inner) = the sum of x (outer,repeated,inner) over its middle axis, in double: one thread a number.
extern "C" __global__ void elementwise_reduce_v1_direct(const float *x, float *y, long long count, long long repeated,
                                                        long long inner) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    const float *first = x + i / inner * repeated * inner + i % inner;
    double sum = 0;
    for (long long r = 0; r < repeated; r++) sum += first[r * inner];
    y[i] = sum;
}
