# Seconds beyond 2038 and files beyond 2 GB where time_t and off_t would have 32 bits.  For sources
# that hand neither to a library, which may have been built with the short ones:
#   iothub_has_wide_time(clock.c)
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
  set(IOTHUB_WIDE_TIME _FILE_OFFSET_BITS=64 _TIME_BITS=64)
endif()
function(iothub_has_wide_time)
  set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_DEFINITIONS ${IOTHUB_WIDE_TIME})
endfunction()
