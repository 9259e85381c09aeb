// A kernel that the CPU itself stops, as for a vector at a misaligned address, ends its launch and not the process.
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

#include "block.h"

namespace emulator {

#ifdef EMULATOR_ASAN  // AddressSanitizer has its own

void catch_signals() {}
void release_signals() {}

#else

static const int CAUGHT[] = {SIGSEGV, SIGBUS, SIGFPE};
static struct sigaction before[3];
static stack_t stack_before;
static pthread_t launching;
static char handler_stack[64 << 10];  // a thread that fills its own stack has no place for a handler

static const void *where(const void *context) {
#if defined(__x86_64__)
    return (const char *)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] + 1;  // as if it returned there
#else
    return (const char *)((const ucontext_t *)context)->uc_mcontext.pc + 1;
#endif
}

static void handle(int signal, siginfo_t *, void *context) {
    if (!current() || !pthread_equal(pthread_self(), launching)) {  // not of a kernel: let it end the process
        release_signals();
        return;
    }
    const char *text = signal == SIGFPE ? "an integer is divided by zero"
                                        : "access to memory of no array, or a vector at a misaligned address";
    fault(where(context), "%s", text);
    abandon();
}

void catch_signals() {
    launching = pthread_self();
    stack_t stack = {};
    stack.ss_sp = handler_stack;
    stack.ss_size = sizeof handler_stack;
    sigaltstack(&stack, &stack_before);
    struct sigaction action = {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    for (int i = 0; i < 3; i++) sigaction(CAUGHT[i], &action, &before[i]);
}

void release_signals() {
    for (int i = 0; i < 3; i++) sigaction(CAUGHT[i], &before[i], nullptr);
    sigaltstack(&stack_before, nullptr);
}

#endif

}  // namespace emulator
