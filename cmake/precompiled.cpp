// CMake needs a source file to compile precompiled headers.
