// The only PTX of the project: tensor cores, asynchronous copies, and numbers of 16 bits.
//
// Each function does what the PTX ISA says of the instruction in its name.  Tests have a twin of this file that does
// the same on a CPU, so that the fragments a kernel hands to a tensor core are checked without one.
#ifndef MINICNN_PTX
#define MINICNN_PTX

#define DYNAMIC_SHARED(T, name)                                     \
    extern __shared__ __align__(16) unsigned char name##_bytes[];   \
    T *name = reinterpret_cast<T *>(name##_bytes)

#define PTX static __device__ __forceinline__

// ---- numbers of 16 bits, kept as unsigned short ---------------------------------------------------------------------

PTX float float_of_half(unsigned short h) {
    float f;
    asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(h));
    return f;
}

PTX unsigned short half_of_float(float f) {
    unsigned short h;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(f));
    return h;
}

PTX float float_of_bfloat16(unsigned short h) { return __uint_as_float(unsigned(h) << 16); }

// Rounded to nearest, ties to even; written out since sm_75 has no instruction for it.
PTX unsigned short bfloat16_of_float(float f) {
    unsigned bits = __float_as_uint(f);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fff;
    return (unsigned short)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

// ---- ldmatrix: four matrices (8,8) of 16 bits from shared memory to a warp ------------------------------------------

// Lane l gives the address of 8 numbers, row l % 8 of matrix l / 8.  d[i] are numbers 2 (l % 4) + {0,1} of row l / 4 of
// matrix i; transposed, those of column l / 4.
PTX void ldmatrix_x4(unsigned (&d)[4], const void *row) {
    unsigned place = (unsigned)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
                 : "r"(place)
                 : "memory");
}

PTX void ldmatrix_x4_trans(unsigned (&d)[4], const void *row) {
    unsigned place = (unsigned)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
                 : "r"(place)
                 : "memory");
}

#if __CUDA_ARCH__ >= 800

// float -> TF32: 10 bits of fraction, ties away from zero.
PTX unsigned tf32_of_float(float f) {
    unsigned t;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(t) : "f"(f));
    return t;
}

// Two numbers of 16 bits in one register, `low` in its lower half; rounded to nearest, ties to even.
PTX unsigned two_bfloat16(float low, float high) {
    unsigned two;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(two) : "f"(high), "f"(low));
    return two;
}

PTX unsigned two_halves(float low, float high) {
    unsigned two;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(two) : "f"(high), "f"(low));
    return two;
}

// ---- cp.async: 16, 8 or 4 bytes from global to shared memory; those after the first `bytes_from` are zeros ----------

PTX void copy_async(void *to, const void *from, int bytes_from) {
    unsigned place = (unsigned)__cvta_generic_to_shared(to);
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(place), "l"(from), "r"(bytes_from) : "memory");
}

// The same by way of the first cache, for what the block will copy again.
PTX void copy_async_cached(void *to, const void *from, int bytes_from) {
    unsigned place = (unsigned)__cvta_generic_to_shared(to);
    asm volatile("cp.async.ca.shared.global [%0], [%1], 16, %2;" ::"r"(place), "l"(from), "r"(bytes_from) : "memory");
}

PTX void copy_async_8(void *to, const void *from, int bytes_from) {
    unsigned place = (unsigned)__cvta_generic_to_shared(to);
    asm volatile("cp.async.ca.shared.global [%0], [%1], 8, %2;" ::"r"(place), "l"(from), "r"(bytes_from) : "memory");
}

PTX void copy_async_4(void *to, const void *from, int bytes_from) {
    unsigned place = (unsigned)__cvta_generic_to_shared(to);
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(place), "l"(from), "r"(bytes_from) : "memory");
}

PTX void copies_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Wait until at most GROUPS of this thread's committed groups are on their way.
template <int GROUPS> PTX void copies_wait() { asm volatile("cp.async.wait_group %0;" ::"n"(GROUPS) : "memory"); }

// ---- mma.sync: d (16,8) += a (16,K) b (K,8), one warp, sums in float ------------------------------------------------

PTX void mma_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {  // K = 8
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

PTX void mma_bfloat16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {  // K = 16
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

PTX void mma_half(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {  // K = 16
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

#endif  // __CUDA_ARCH__ >= 800

#endif  // MINICNN_PTX
