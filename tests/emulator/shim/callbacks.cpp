// What the compiler calls in a checked build: before each access for -fsanitize=thread, and where the language forbids
// what a kernel does for -fsanitize=alignment,bounds,shift,integer-divide-by-zero.
#include <algorithm>

#include "block.h"

#ifdef EMULATOR_CHECKED

#define SITE __builtin_return_address(0)

extern "C" {
#define CALLBACKS(n)                                                                      \
    void __tsan_read##n(void *p) { emulator_access(p, n, false, false, SITE); }           \
    void __tsan_write##n(void *p) { emulator_access(p, n, true, false, SITE); }           \
    void __tsan_unaligned_read##n(void *p) { emulator_access(p, n, false, false, SITE); } \
    void __tsan_unaligned_write##n(void *p) { emulator_access(p, n, true, false, SITE); } \
    void __tsan_volatile_read##n(void *p) { emulator_access(p, n, false, false, SITE); }  \
    void __tsan_volatile_write##n(void *p) { emulator_access(p, n, true, false, SITE); }
CALLBACKS(1)
CALLBACKS(2)
CALLBACKS(4)
CALLBACKS(8)
CALLBACKS(16)
static void access_range(void *p, size_t bytes, bool write, const void *site) {
    for (size_t i = 0; i < bytes; i += 4)
        emulator_access((char *)p + i, std::min<size_t>(4, bytes - i), write, false, site);
}
void __tsan_read_range(void *p, size_t bytes) { access_range(p, bytes, false, SITE); }
void __tsan_write_range(void *p, size_t bytes) { access_range(p, bytes, true, SITE); }
void __tsan_init() {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void *, void *) {}

// The compiler's description of an access through a pointer (libsanitizer, ubsan_handlers.h).
struct PointerUse {
    const char *file;
    unsigned line, column;
    const void *type;
    unsigned char log_alignment, kind;
};

[[noreturn]] static void forbidden(const void *site, const char *what) {
    emulator::fault(site, "%s", what);
    emulator::abandon();
}
void __ubsan_handle_type_mismatch_v1(const PointerUse *use, const void *p) {
    emulator::misaligned("access", p, 1u << use->log_alignment, SITE);
}
void __ubsan_handle_out_of_bounds(void *, void *) {
    forbidden(SITE, "out of bounds: an index past the end of its array");
}
void __ubsan_handle_shift_out_of_bounds(void *, void *, void *) {
    forbidden(SITE, "a shift by less than 0 or by all bits of the number");
}
void __ubsan_handle_divrem_overflow(void *, void *, void *) { forbidden(SITE, "an integer is divided by zero"); }
}

#endif
