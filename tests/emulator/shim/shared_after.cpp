// Linked behind the kernels: what is written over the end of their last static array of shared memory lands here.
__attribute__((section("emulated_shared"), aligned(1), visibility("hidden"))) extern "C" char
    emulator_shared_after[4096] = {1};
