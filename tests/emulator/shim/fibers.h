// Stacks of their own for the threads of a block, and the switch between them (some nanoseconds).
#pragma once
#include <sys/mman.h>

#include <cstdint>
#include <cstring>

#include "block.h"

namespace emulator {

extern "C" void emulator_switch(void **save, void *to);  // keep the registers and stack here, go on there

#if defined(__x86_64__)
asm(R"(.text
.globl emulator_switch
.type emulator_switch,@function
emulator_switch:
  pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
  ret
.size emulator_switch,.-emulator_switch
)");

// The stack pointer of a fiber that will begin with `entry`.
static void *fresh(char *top, void (*entry)()) {
    void **p = (void **)((uintptr_t)top & ~uintptr_t(15));
    *--p = nullptr;  // so that the stack is aligned at the entry as after a call
    *--p = (void *)entry;
    for (int i = 0; i < 6; i++) *--p = nullptr;
    return p;
}
#elif defined(__aarch64__)
asm(R"(.text
.globl emulator_switch
.type emulator_switch,%function
emulator_switch:
  sub sp, sp, #160
  stp x19,x20,[sp,#0]
  stp x21,x22,[sp,#16]
  stp x23,x24,[sp,#32]
  stp x25,x26,[sp,#48]
  stp x27,x28,[sp,#64]
  stp x29,x30,[sp,#80]
  stp d8,d9,[sp,#96]
  stp d10,d11,[sp,#112]
  stp d12,d13,[sp,#128]
  stp d14,d15,[sp,#144]
  mov x9, sp
  str x9,[x0]
  mov sp, x1
  ldp x19,x20,[sp,#0]
  ldp x21,x22,[sp,#16]
  ldp x23,x24,[sp,#32]
  ldp x25,x26,[sp,#48]
  ldp x27,x28,[sp,#64]
  ldp x29,x30,[sp,#80]
  ldp d8,d9,[sp,#96]
  ldp d10,d11,[sp,#112]
  ldp d12,d13,[sp,#128]
  ldp d14,d15,[sp,#144]
  add sp, sp, #160
  ret
)");

static void *fresh(char *top, void (*entry)()) {
    void **p = (void **)(((uintptr_t)top & ~uintptr_t(15)) - 160);
    memset(p, 0, 160);
    p[11] = (void *)entry;
    return p;
}
#else
#error "fibers.h has no switch for this CPU"
#endif

constexpr size_t GUARD = 64 << 10;  // a page, of whatever size

// Stacks for all threads of the largest block.  A stack that grows into the guard below it is a fault.
static char *new_stacks() {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    size_t each = GUARD + STACK;
    void *memory = mmap(nullptr, MOST_THREADS * each, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    for (int i = 0; i < MOST_THREADS; i++) mprotect(static_cast<char *>(memory) + i * each, GUARD, PROT_NONE);
    return static_cast<char *>(memory);
}

static char *stack_of(char *stacks, int thread) { return stacks + thread * (GUARD + STACK) + GUARD; }

}  // namespace emulator
