// Linked in front of the kernels: what is written below their first static array of shared memory lands here.
extern "C" {
__attribute__((section("emulated_shared"), aligned(64), visibility("hidden"))) char emulator_shared_before[4096] = {1};
}
