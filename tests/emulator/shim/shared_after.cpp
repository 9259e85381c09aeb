// Linked behind the kernels: what is written over the end of their last static array of shared memory lands here.
extern "C" {
__attribute__((section("emulated_shared"), aligned(1), visibility("hidden"))) char emulator_shared_after[4096] = {1};
}
