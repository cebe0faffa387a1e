# One executable per test file, named after it. Tests may see the layer's private headers.
#   iothub_add_test(test_packet mqtt_core)
find_package(cmocka REQUIRED)
if(NOT TARGET cmocka::cmocka)  # cmocka before 1.1.6 only sets variables
  add_library(cmocka::cmocka INTERFACE IMPORTED)
  target_include_directories(cmocka::cmocka INTERFACE ${CMOCKA_INCLUDE_DIR})
  target_link_libraries(cmocka::cmocka INTERFACE ${CMOCKA_LIBRARIES})
endif()

# Seconds after which a test counts as hanging. The longest tests take 20 s on an idle machine, and ten times as long on a busy one
# or under QEMU.
if(CMAKE_CROSSCOMPILING_EMULATOR)
  set(IOTHUB_TEST_TIMEOUT 1200)
else()
  set(IOTHUB_TEST_TIMEOUT 300)
endif()

# Tests of code that several threads use; the preset tsan runs them under ThreadSanitizer.
add_custom_target(threaded)
function(iothub_is_threaded)
  add_dependencies(threaded ${ARGN})
  set_property(TEST ${ARGN} APPEND PROPERTY LABELS threads)
endfunction()

# Builds a test a second time, under another name and with additional sources:
#   iothub_add_test_from(test_packet.c test_packet_again mqtt_core)
function(iothub_add_test_from source name layer)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE ${layer} ${ARGN} cmocka::cmocka iothub_warnings)
  target_include_directories(${name} PRIVATE $<TARGET_PROPERTY:${layer},INCLUDE_DIRECTORIES>
    ${PROJECT_SOURCE_DIR}/tests/support)
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${IOTHUB_TEST_TIMEOUT} LABELS ${layer})
endfunction()

function(iothub_add_test name)
  iothub_add_test_from(${name}.c ${name} ${ARGN})
endfunction()
