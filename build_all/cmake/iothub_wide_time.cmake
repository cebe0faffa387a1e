# For systems whose time_t and off_t have 32 bits. The wide off_t is set for all sources, because without it readdir and stat fail
# (EOVERFLOW) for files over 2 GB and for inode numbers of more than 32 bits. The wide time_t (dates after 2038) is set only for
# sources that pass no time_t to a library, which may have been built with the short one:
#   iothub_has_wide_time(clock.c)
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
  add_compile_definitions(_FILE_OFFSET_BITS=64)
  set(IOTHUB_WIDE_TIME _TIME_BITS=64)
endif()
function(iothub_has_wide_time)
  set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_DEFINITIONS ${IOTHUB_WIDE_TIME})
endfunction()
