# Settings for the sources of this project only; they are linked PRIVATE and never exported.
option(IOTHUB_WARNINGS_AS_ERRORS "Stop at the first warning (the presets do)" OFF)

add_library(iothub_warnings INTERFACE)
target_compile_options(iothub_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wswitch-enum -Wformat-security
  $<$<BOOL:${IOTHUB_WARNINGS_AS_ERRORS}>:-Werror>)
# assert() checks the invariants of a part (CONTRIBUTING.md). Debug builds run it; all others leave it out.
target_compile_definitions(iothub_warnings INTERFACE $<$<NOT:$<CONFIG:Debug>>:NDEBUG>)

# Each function and constant gets a section of its own, so that a program which is linked with -Wl,--gc-sections contains
# only those that it uses.
set(IOTHUB_SECTIONS "$<$<C_COMPILER_ID:GNU,Clang>:-ffunction-sections;-fdata-sections>")
