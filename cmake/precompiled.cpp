// CMake compiles precompiled headers with a source file only.
