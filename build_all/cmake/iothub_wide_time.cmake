# Where time_t and off_t would have 32 bits.  Files beyond 2 GB, and directories and files whose
# numbers need more than 32 bits, are for all: without it readdir and stat fail there (EOVERFLOW).
# Seconds beyond 2038 are for sources that hand none to a library, which may have been built with
# the short ones:
#   iothub_has_wide_time(clock.c)
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
  add_compile_definitions(_FILE_OFFSET_BITS=64)
  set(IOTHUB_WIDE_TIME _TIME_BITS=64)
endif()
function(iothub_has_wide_time)
  set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_DEFINITIONS ${IOTHUB_WIDE_TIME})
endfunction()
