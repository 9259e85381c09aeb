// Four neighbouring numbers, which a thread reads and writes by one instruction of 16 bytes: a quarter of the
// instructions, and more bytes on their way at a time.
//
// The instruction wants an address that is a multiple of 16.  Where that is not so, and at the end of an array, the
// same four are taken one by one.
#pragma once

struct Four {
    float at[4];
};

// Whether `left` numbers from here on are four that lie as the instruction wants them.
static __device__ __forceinline__ bool whole_four(const float *x, long long left) {
    return left >= 4 && ((unsigned long long)x & 15) == 0;
}

// x[0] to x[3]; 0 from x[left] on.
static __device__ __forceinline__ Four read_four(const float *x, long long left) {
    if (whole_four(x, left)) {
        float4 four = *reinterpret_cast<const float4 *>(x);
        return {{four.x, four.y, four.z, four.w}};
    }
    Four four;
#pragma unroll
    for (int k = 0; k < 4; k++) four.at[k] = k < left ? x[k] : 0;
    return four;
}

// The same of bytes, of which four are one instruction of 4 bytes.
static __device__ __forceinline__ Four read_four(const unsigned char *x, long long left) {
    Four four;
    if (left >= 4 && ((unsigned long long)x & 3) == 0) {
        unsigned bytes = *reinterpret_cast<const unsigned *>(x);
#pragma unroll
        for (int k = 0; k < 4; k++) four.at[k] = bytes >> 8 * k & 255;
        return four;
    }
#pragma unroll
    for (int k = 0; k < 4; k++) four.at[k] = k < left ? x[k] : 0;
    return four;
}

static __device__ __forceinline__ void write_four(float *y, long long left, const Four &four) {
    if (whole_four(y, left)) {
        *reinterpret_cast<float4 *>(y) = make_float4(four.at[0], four.at[1], four.at[2], four.at[3]);
        return;
    }
#pragma unroll
    for (int k = 0; k < 4; k++)
        if (k < left) y[k] = four.at[k];
}
