// Linked in front of the kernels: what is written below their first static array of shared memory lands here.
__attribute__((section("emulated_shared"), aligned(64), visibility("hidden"))) extern "C" char
    emulator_shared_before[4096] = {1};
