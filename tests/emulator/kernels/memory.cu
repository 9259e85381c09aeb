// Pairs of kernels, as in races.cu: of memory that is not there, was never written, or lies askew.
#include "ptx.cuh"

extern "C" __global__ void past_the_end(float *x, int n) {
    for (int i = threadIdx.x; i < n; i += 64) x[i] = 1;
}

extern "C" __global__ void past_the_end_fault(float *x, int n) {
    for (int i = threadIdx.x; i <= n; i += 64)
        x[i] = 1;  // fault: out of bounds: write of 4 bytes, 0 bytes past the end of argument 0
}

extern "C" __global__ void before_the_array(float *x, int n) {
    float left = threadIdx.x ? x[(int)threadIdx.x - 1] : 0;
    __syncthreads();
    x[threadIdx.x] = left;
}

extern "C" __global__ void before_the_array_fault(float *x, int n) {
    float left = x[(int)threadIdx.x - 1];  // fault: out of bounds: read of 4 bytes, 4 bytes before argument 0
    __syncthreads();
    x[threadIdx.x] = left;
}

extern "C" __global__ void in_front(float *x, int n) { x[threadIdx.x] = 1; }

extern "C" __global__ void in_front_fault(float *x, int n) {
    x[(int)threadIdx.x - 1] = 1;  // fault: out of bounds: write of 4 bytes, 4 bytes before argument 0
}

// Of an odd count of numbers, read in pairs.
extern "C" __global__ void over_the_end(float *x, int n) {
    if (threadIdx.x == 0) x[0] = ((float2 *)x)[n / 2 - 1].x;
}

extern "C" __global__ void over_the_end_fault(float *x, int n) {
    if (threadIdx.x == 0) *(double *)&x[n - 1] = 1;  // fault: out of bounds: write over the end of argument 0
}

extern "C" __global__ void static_array(float *x, int n) {
    __shared__ float s[64];
    s[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    x[threadIdx.x] = s[(threadIdx.x + 1) % n];
}

extern "C" __global__ void static_array_fault(float *x, int n) {
    __shared__ float s[64];
    s[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    x[threadIdx.x] = s[threadIdx.x + 1];  // fault: out of bounds: an index past the end of its array
}

static __device__ void copy(float *to, const float *from, int count) {
    for (int i = threadIdx.x; i < count; i += 64) to[i] = from[i];
}

static __device__ void copy_one_more(float *to, const float *from, int count) {
    for (int i = threadIdx.x; i <= count; i += 64)
        to[i] = from[i - i / count];  // fault: out of bounds: write of 4 bytes, 0 bytes past the end of shared memory
}

extern "C" __global__ void dynamic_array(float *x, int n) {
    DYNAMIC_SHARED(float, s);
    copy(s, x, n);
    __syncthreads();
    copy(x, s, n);
}

extern "C" __global__ void dynamic_array_fault(float *x, int n) {
    DYNAMIC_SHARED(float, s);
    copy_one_more(s, x, n);
    __syncthreads();
    copy(x, s, n);
}

extern "C" __global__ void never_written(float *x, int n) {
    __shared__ float s[64];
    if (threadIdx.x < 63) s[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    if (threadIdx.x < 63) x[threadIdx.x] = s[threadIdx.x];
}

extern "C" __global__ void never_written_fault(float *x, int n) {
    __shared__ float s[64];
    if (threadIdx.x < 63) s[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    x[threadIdx.x] = s[threadIdx.x];  // fault: read of shared memory that nobody wrote
}

// Two numbers of 16 bits lie in four bytes.
extern "C" __global__ void half_written(float *x, int n) {
    __shared__ __align__(16) unsigned short s[128];
    for (int i = threadIdx.x; i < 2 * n; i += 64) s[i] = i;
    __syncthreads();
    x[threadIdx.x] = *(unsigned *)&s[2 * threadIdx.x];
}

extern "C" __global__ void half_written_fault(float *x, int n) {
    __shared__ __align__(16) unsigned short s[128];
    for (int i = threadIdx.x; i < n; i += 64) s[2 * i] = i;
    __syncthreads();
    x[threadIdx.x] = *(unsigned *)&s[2 * threadIdx.x];  // fault: read of shared memory that nobody wrote
}

// Shared memory is of one block: what another has left there is nothing.
extern "C" __global__ void of_another_block(float *x, int n) {
    __shared__ float s;
    if (threadIdx.x == 0) s = blockIdx.x;
    __syncthreads();
    if (blockIdx.x == 0) x[threadIdx.x] = s;
}

extern "C" __global__ void of_another_block_fault(float *x, int n) {
    __shared__ float s;
    if (threadIdx.x == 0 && blockIdx.x == 0) s = 1;
    __syncthreads();
    if (blockIdx.x == 1) x[threadIdx.x] = s;  // fault: read of shared memory that nobody wrote
}

extern "C" __global__ void aligned_vector(float *x, int n) {
    if (4 * threadIdx.x < n) ((float4 *)x)[threadIdx.x] = make_float4(1, 2, 3, 4);
}

extern "C" __global__ void aligned_vector_fault(float *x, int n) {
    if (4 * threadIdx.x + 4 < n)
        *(float4 *)&x[4 * threadIdx.x + 1] = make_float4(1, 2, 3, 4);  // fault: misaligned access
}

extern "C" __global__ void aligned_number(float *x, int n) {
    if (threadIdx.x == 0) *(int *)((char *)x + n / 16) = 1;
}

extern "C" __global__ void aligned_number_fault(float *x, int n) {
    if (threadIdx.x == 0) *(int *)((char *)x + n / 32) = 1;  // fault: misaligned access
}

extern "C" __global__ void aligned_atomic(float *x, int n) {
    if (threadIdx.x == 0) atomicAdd((float *)((char *)x + n / 16), 1.0f);
}

extern "C" __global__ void aligned_atomic_fault(float *x, int n) {
    if (threadIdx.x == 0) atomicAdd((float *)((char *)x + n / 32), 1.0f);  // fault: misaligned atomic
}

__constant__ float weights[3] = {0.25f, 0.5f, 0.25f};

extern "C" __global__ void constants(float *x, int n) { x[threadIdx.x] = weights[threadIdx.x % 3]; }

extern "C" __global__ void constants_fault(float *x, int n) {
    weights[threadIdx.x % 3] = x[threadIdx.x];  // fault: write of 4 bytes to what is constant memory
}

extern "C" __global__ void registers(float *x, int n) {
    float sums[4] = {1, 2, 3, 4};
    x[threadIdx.x] = sums[threadIdx.x % (n / 16)];
}

extern "C" __global__ void registers_fault(float *x, int n) {
    float sums[4] = {1, 2, 3, 4};
    x[threadIdx.x] = sums[threadIdx.x % (n / 8)];  // fault: out of bounds: an index past the end of its array
}

extern "C" __global__ void shifts(float *x, int n) { x[threadIdx.x] = 1 << n / 8; }

extern "C" __global__ void shifts_fault(float *x, int n) {
    x[threadIdx.x] = 1 << n / 2;  // fault: a shift by less than 0 or by all bits of the number
}

extern "C" __global__ void divides(float *x, int n) { x[threadIdx.x] = n / ((int)threadIdx.x + 1); }

extern "C" __global__ void divides_fault(float *x, int n) {
    x[threadIdx.x] = n / (int)threadIdx.x;  // fault: an integer is divided by zero
}

extern "C" __global__ void absent(float *x, int n, const float *bias) {
    x[threadIdx.x] += bias ? bias[threadIdx.x] : 0;
}

extern "C" __global__ void absent_fault(float *x, int n, const float *bias) {
    x[threadIdx.x] += bias[threadIdx.x];  // fault: out of bounds: read of 4 bytes outside of every array
}
