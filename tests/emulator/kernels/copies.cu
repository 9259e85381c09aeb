// Pairs of kernels, as in races.cu: of asynchronous copies, and of rows for ldmatrix.
#include "ptx.cuh"

// x backwards, in tiles of 16 numbers that are copied two tiles ahead: 4 threads copy 4 numbers each.
template <int LEFT> static __device__ void backwards(float *x, int n, float *tiles) {
    for (int i = 0; i < 2; i++) {
        if (threadIdx.x < 4) copy_async(&tiles[16 * i + 4 * threadIdx.x], &x[16 * i + 4 * threadIdx.x], 16);
        copies_commit();
    }
    for (int i = 0; i < n / 16; i++) {
        copies_wait<LEFT>();
        __syncthreads();
        float value = threadIdx.x < 16 ? tiles[i % 2 * 16 + 15 - threadIdx.x] : 0;  // fault: and nobody has waited for
        __syncthreads();
        if (i + 2 < n / 16 && threadIdx.x < 4)
            copy_async(&tiles[i % 2 * 16 + 4 * threadIdx.x], &x[16 * (i + 2) + 4 * threadIdx.x], 16);
        copies_commit();
        if (threadIdx.x < 16) x[16 * i + threadIdx.x] = value;
    }
    copies_wait<0>();
}

extern "C" __global__ void groups_waited_for(float *x, int n) {
    DYNAMIC_SHARED(float, tiles);
    backwards<1>(x, n, tiles);
}

extern "C" __global__ void groups_waited_for_fault(float *x, int n) {
    DYNAMIC_SHARED(float, tiles);
    backwards<2>(x, n, tiles);
}

// What is read here is of the time before the copy or after it, or in between.
extern "C" __global__ void read_too_early(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    tile[threadIdx.x] = 0;
    copy_async_4(&tile[threadIdx.x], &x[threadIdx.x], 4);
    copies_commit();
    x[threadIdx.x] = tile[threadIdx.x];
    copies_wait<0>();
}

// A thread waits for its own copies: for those of others, a barrier comes after.
extern "C" __global__ void barrier_after_the_wait(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    if (threadIdx.x < 16) copy_async(&tile[4 * threadIdx.x], &x[4 * threadIdx.x], 16);
    copies_commit();
    copies_wait<0>();
    __syncthreads();
    x[threadIdx.x] = tile[n - 1 - threadIdx.x];
}

extern "C" __global__ void barrier_after_the_wait_fault(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    if (threadIdx.x < 16)
        copy_async(&tile[4 * threadIdx.x], &x[4 * threadIdx.x], 16);  // fault: race: write of shared memory
    copies_commit();
    __syncthreads();
    copies_wait<0>();
    x[threadIdx.x] = tile[n - 1 - threadIdx.x];  // fault: read of shared memory at byte
}

extern "C" __global__ void copy_of_one_thread(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    if (threadIdx.x == 0) copy_async(tile, x, 16);
    copies_commit();
    copies_wait<0>();
    __syncthreads();
    if (threadIdx.x == n - 1) x[n - 1] = tile[0];
}

extern "C" __global__ void copy_of_one_thread_fault(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    if (threadIdx.x == 0) copy_async(tile, x, 16);  // fault: race: write of shared memory
    copies_commit();
    __syncthreads();
    copies_wait<0>();
    if (threadIdx.x == n - 1) x[n - 1] = tile[0];  // fault: read of shared memory at byte
}

// What is still read must not be filled anew.
extern "C" __global__ void filled_after_reading(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    tile[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    float value = tile[n - 1 - threadIdx.x];
    __syncthreads();
    if (threadIdx.x < 16) copy_async(&tile[4 * threadIdx.x], &x[4 * threadIdx.x], 16);
    copies_commit();
    copies_wait<0>();
    __syncthreads();
    x[threadIdx.x] = value;
}

extern "C" __global__ void filled_after_reading_fault(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    tile[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    float value = tile[n - 1 - threadIdx.x];  // fault: read of shared memory at byte
    if (threadIdx.x < 16)
        copy_async(&tile[4 * threadIdx.x], &x[4 * threadIdx.x], 16);  // fault: race: write of shared memory
    copies_commit();
    copies_wait<0>();
    __syncthreads();
    x[threadIdx.x] = value;
}

extern "C" __global__ void aligned_source(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    if (threadIdx.x == 0) copy_async(tile, x + n / 16, 16);
    copies_commit();
    copies_wait<0>();
}

extern "C" __global__ void aligned_source_fault(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    if (threadIdx.x == 0) copy_async(tile, x + n / 32, 16);  // fault: misaligned source of a cp.async
    copies_commit();
    copies_wait<0>();
}

extern "C" __global__ void aligned_destination(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    if (threadIdx.x == 0) copy_async_8(tile + n / 32, x, 8);
    copies_commit();
    copies_wait<0>();
}

extern "C" __global__ void aligned_destination_fault(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    if (threadIdx.x == 0) copy_async_8(tile + n / 64, x, 8);  // fault: misaligned destination of a cp.async
    copies_commit();
    copies_wait<0>();
}

extern "C" __global__ void to_shared_memory(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    copy_async_4(&tile[threadIdx.x], &x[threadIdx.x], 4);
    copies_commit();
    copies_wait<0>();
}

extern "C" __global__ void to_shared_memory_fault(float *x, int n) {
    copy_async_4(&x[threadIdx.x], &x[threadIdx.x], 4);  // fault: out of bounds: a cp.async to what is no shared memory
    copies_commit();
    copies_wait<0>();
}

extern "C" __global__ void part_of_the_source(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    if (threadIdx.x == 0) copy_async(tile, x + n - 4, 16);
    copies_commit();
    copies_wait<0>();
}

extern "C" __global__ void part_of_the_source_fault(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    if (threadIdx.x == 0) copy_async(tile, x + n, 4);  // fault: read of 4 bytes, 0 bytes past the end of argument 0
    copies_commit();
    copies_wait<0>();
}

extern "C" __global__ void wait_of_each_copy(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    copy_async_4(&tile[threadIdx.x], &x[threadIdx.x], 4);
    copies_commit();
    copies_wait<0>();
}

extern "C" __global__ void wait_of_each_copy_fault(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    copy_async_4(&tile[threadIdx.x], &x[threadIdx.x], 4);  // fault: a thread ends before it has waited for its cp.async
    copies_wait<0>();
}

extern "C" __global__ void bytes_that_fit(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    copy_async_4(&tile[threadIdx.x], &x[threadIdx.x], n - 64);
    copies_commit();
    copies_wait<0>();
}

extern "C" __global__ void bytes_that_fit_fault(float *x, int n) {
    DYNAMIC_SHARED(float, tile);
    copy_async_4(&tile[threadIdx.x], &x[threadIdx.x], 8);  // fault: a cp.async of more bytes than it writes
    copies_commit();
    copies_wait<0>();
}

extern "C" __global__ void rows_of_shared_memory(float *x, int n) {
    DYNAMIC_SHARED(unsigned short, rows);
    for (int i = 0; i < 2; i++) rows[2 * threadIdx.x + i] = threadIdx.x;
    __syncthreads();
    unsigned d[4];
    ldmatrix_x4(d, rows + threadIdx.x % 16 * 8);
    x[threadIdx.x] = d[0] + d[3];
}

extern "C" __global__ void rows_of_shared_memory_fault(float *x, int n) {
    unsigned d[4];
    ldmatrix_x4(d, x + threadIdx.x % 16 * 4);  // fault: out of bounds: a row of an ldmatrix that is no shared memory
    x[threadIdx.x] = d[0] + d[3];
}

extern "C" __global__ void aligned_row(float *x, int n) {
    DYNAMIC_SHARED(unsigned short, rows);
    for (int i = 0; i < 2; i++) rows[2 * threadIdx.x + i] = threadIdx.x;
    __syncthreads();
    unsigned d[4];
    ldmatrix_x4_trans(d, rows + threadIdx.x % 8 * 8);
    x[threadIdx.x] = d[1];
}

extern "C" __global__ void aligned_row_fault(float *x, int n) {
    DYNAMIC_SHARED(unsigned short, rows);
    for (int i = 0; i < 2; i++) rows[2 * threadIdx.x + i] = threadIdx.x;
    __syncthreads();
    unsigned d[4];
    ldmatrix_x4_trans(d, rows + threadIdx.x % 8 * 4);  // fault: misaligned row of an ldmatrix
    x[threadIdx.x] = d[1];
}
