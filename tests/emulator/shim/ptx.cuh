// The twin of kernels/include/ptx.cuh on a CPU; it comes first, so that the other, of the same name, is left out.
//
// A tensor core's fragments lie in the lanes of a warp as the PTX ISA draws them ("Matrix Fragments for mma.m16n8k8");
// with group = lane / 4 and place = lane % 4:
//   d, 4 floats:  element i is at row group + 8 (i / 2), column 2 place + i % 2
//   a of TF32 (16,8), 4 registers:  i is at row group + 8 (i % 2), column place + 4 (i / 2)
//   b of TF32 (8,8), 2 registers:  i is at row place + 4 i, column group
//   a of 16 bits (16,16), 4 registers of two numbers:  i is at row group + 8 (i % 2),
//     columns 2 place + 8 (i / 2) + {0,1}
//   b of 16 bits (16,8), 2 registers of two numbers:  i is at rows 2 place + 8 i + {0,1}, column group
#ifndef MINICNN_PTX
#define MINICNN_PTX
#include "halves.h"

#define PTX static __forceinline__

namespace emulator {

PTX float tf32(unsigned bits) { return __uint_as_float(bits & 0xffffe000u); }

struct Fragments {
    unsigned a[4], b[2];
};

PTX const Exchange &fragments_of_warp(const unsigned (&a)[4], const unsigned (&b)[2]) {
    Fragments mine = {{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
    return *emulator_exchange(Operation::mma, 0xffffffffu, &mine, sizeof mine);
}
PTX const Fragments &of_lane(const Exchange &given, int lane) {
    return *reinterpret_cast<const Fragments *>(given[lane]);
}

// d += a b for the four elements of this lane; `product` is of one row, one column and one k.
template <class Product> UNWATCHED void accumulate(float (&d)[4], int depth, const Product &product) {
    int group = int(lane()) / 4, place = int(lane()) % 4;
    for (int i = 0; i < 4; i++) {
        int row = group + 8 * (i / 2), column = 2 * place + i % 2;
        for (int k = 0; k < depth; k++) d[i] += product(row, column, k);
    }
}

UNWATCHED static void accumulate_tf32(float (&d)[4], const Exchange &given) {
    accumulate(d, 8, [&](int row, int column, int k) UNWATCHED {
        unsigned left = of_lane(given, row % 8 * 4 + k % 4).a[row / 8 + 2 * (k / 4)];
        unsigned right = of_lane(given, column * 4 + k % 4).b[k / 4];
        return tf32(left) * tf32(right);
    });
}

template <float (*number)(unsigned short)> UNWATCHED void accumulate_16_bits(float (&d)[4], const Exchange &given) {
    accumulate(d, 16, [&](int row, int column, int k) UNWATCHED {
        unsigned left = of_lane(given, row % 8 * 4 + k % 8 / 2).a[row / 8 + 2 * (k / 8)];
        unsigned right = of_lane(given, column * 4 + k % 8 / 2).b[k / 8];
        int shift = k % 2 * 16;
        return number((unsigned short)(left >> shift)) * number((unsigned short)(right >> shift));
    });
}

// Number (row, column) of matrix `i`, whose rows the lanes from 8 i on have given.
UNWATCHED static unsigned number_of(const Exchange &rows, int i, int row, int column) {
    unsigned short number;
    memcpy(&number, rows[8 * i + row] + 2 * column, 2);
    return number;
}

UNWATCHED static void take_matrices(unsigned (&d)[4], const Exchange &rows, bool transposed) {
    int group = int(lane()) / 4, pair = int(lane()) % 4 * 2;
    for (int i = 0; i < 4; i++) {
        unsigned low = transposed ? number_of(rows, i, pair, group) : number_of(rows, i, group, pair);
        unsigned high = transposed ? number_of(rows, i, pair + 1, group) : number_of(rows, i, group, pair + 1);
        d[i] = low | high << 16;
    }
}

}  // namespace emulator

PTX unsigned tf32_of_float(float f) {
    if (f != f) return 0x7fffe000u;
    unsigned bits = __float_as_uint(f);
    if ((bits & 0x7fffffffu) == 0x7f800000u) return bits;
    return (bits + 0x1000u) & 0xffffe000u;
}

PTX unsigned two_bfloat16(float low, float high) {
    return bfloat16_of_float(low) | unsigned(bfloat16_of_float(high)) << 16;
}
PTX unsigned two_halves(float low, float high) { return half_of_float(low) | unsigned(half_of_float(high)) << 16; }

PTX void copy_async(void *to, const void *from, int bytes_from) { emulator_copy_async(to, from, 16, bytes_from); }
PTX void copy_async_cached(void *to, const void *from, int bytes_from) { copy_async(to, from, bytes_from); }
PTX void copy_async_8(void *to, const void *from, int bytes_from) { emulator_copy_async(to, from, 8, bytes_from); }
PTX void copy_async_4(void *to, const void *from, int bytes_from) { emulator_copy_async(to, from, 4, bytes_from); }
PTX void copies_commit() { emulator_copies_commit(); }
template <int GROUPS> PTX void copies_wait() { emulator_copies_wait(GROUPS); }

PTX void ldmatrix_x4(unsigned (&d)[4], const void *row) {
    const void *mine = emulator_shared_row(row);
    emulator::take_matrices(d, *emulator_exchange(emulator::Operation::ldmatrix, 0xffffffffu, mine, 16), false);
}
PTX void ldmatrix_x4_trans(unsigned (&d)[4], const void *row) {
    const void *mine = emulator_shared_row(row);
    emulator::take_matrices(d, *emulator_exchange(emulator::Operation::ldmatrix, 0xffffffffu, mine, 16), true);
}

PTX void mma_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    emulator::accumulate_tf32(d, emulator::fragments_of_warp(a, b));
}
PTX void mma_bfloat16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    emulator::accumulate_16_bits<float_of_bfloat16>(d, emulator::fragments_of_warp(a, b));
}
PTX void mma_half(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    emulator::accumulate_16_bits<float_of_half>(d, emulator::fragments_of_warp(a, b));
}

#endif
