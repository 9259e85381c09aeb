// The twin of kernels/include/ptx.cuh on a CPU.
//
// A tensor core's fragments lie in the lanes of a warp as the PTX ISA draws them (9.7.14.5, "Matrix fragments"); with
// group = lane / 4 and place = lane % 4:
//   d, 4 floats:  element i is at row group + 8 (i / 2), column 2 place + i % 2
//   a of TF32 (16,8), 4 registers:  i is at row group + 8 (i % 2), column place + 4 (i / 2)
//   b of TF32 (8,8), 2 registers:  i is at row place + 4 i, column group
//   a of 16 bits (16,16), 4 registers of two numbers:  i is at row group + 8 (i % 2), columns 2 place + 8 (i / 2) + {0,1}
//   b of 16 bits (16,8), 2 registers of two numbers:  i is at rows 2 place + 8 i + {0,1}, column group
#pragma once
#include "halves.h"

#define PTX UNWATCHED static inline

PTX unsigned tf32_of_float(float f) {
    if (f != f) return 0x7fffe000u;
    unsigned bits = __float_as_uint(f);
    if ((bits & 0x7fffffffu) == 0x7f800000u) return bits;
    return (bits + 0x1000u) & 0xffffe000u;
}

PTX void copy_async(void *to, const void *from, int bytes_from) { emulator_copy_async(to, from, 16, bytes_from); }
PTX void copies_commit() { emulator_copies_commit(); }
template <int GROUPS> PTX void copies_wait() { emulator_copies_wait(GROUPS); }

namespace emulator {

struct Fragments {
    unsigned a[4], b[2];
};

PTX float tf32(unsigned bits) { return __uint_as_float(bits & 0xffffe000u); }

PTX const Fragments &of_lane(const Exchange &given, int lane) { return *reinterpret_cast<const Fragments *>(given[lane]); }

// d += a b for the four elements of this lane; `product` is of one row, one column and one k.
template <class Product> UNWATCHED void accumulate(float (&d)[4], int depth, const Product &product) {
    int group = int(lane()) / 4, place = int(lane()) % 4;
    for (int i = 0; i < 4; i++) {
        int row = group + 8 * (i / 2), column = 2 * place + i % 2;
        for (int k = 0; k < depth; k++) d[i] += product(row, column, k);
    }
}

template <float (*number)(unsigned short)>
UNWATCHED void mma_16_bits(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    Fragments mine = {{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
    const Exchange &given = *emulator_exchange(0xffffffffu, &mine, sizeof mine);
    accumulate(d, 16, [&](int row, int column, int k) UNWATCHED {
        unsigned left = of_lane(given, row % 8 * 4 + k % 8 / 2).a[row / 8 + 2 * (k / 8)];
        unsigned right = of_lane(given, column * 4 + k % 8 / 2).b[k / 8];
        int shift = k % 2 * 16;
        return number((unsigned short)(left >> shift)) * number((unsigned short)(right >> shift));
    });
}

}  // namespace emulator

PTX void mma_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    emulator::Fragments mine = {{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
    const emulator::Exchange &given = *emulator_exchange(0xffffffffu, &mine, sizeof mine);
    emulator::accumulate(d, 8, [&](int row, int column, int k) UNWATCHED {
        unsigned left = emulator::of_lane(given, row % 8 * 4 + k % 4).a[row / 8 + 2 * (k / 4)];
        unsigned right = emulator::of_lane(given, column * 4 + k % 4).b[k / 4];
        return emulator::tf32(left) * emulator::tf32(right);
    });
}
PTX void mma_bfloat16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    emulator::mma_16_bits<float_of_bfloat16>(d, a, b);
}
PTX void mma_half(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    emulator::mma_16_bits<float_of_half>(d, a, b);
}
