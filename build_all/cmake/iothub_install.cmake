# The CMake package iothub_device and the pkg-config files iothub-device, iothub-device-sqlite,
# iothub-device-curl, iothub-device-upload, iothub-device-websocket and iothub-device-pkcs11.
include(CMakePackageConfigHelpers)

set(IOTHUB_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/iothub_device)
install(EXPORT iothub-targets NAMESPACE iothub:: DESTINATION ${IOTHUB_CMAKE_DIR})
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/iothub_device-config.cmake.in
  ${PROJECT_BINARY_DIR}/iothub_device-config.cmake
  INSTALL_DESTINATION ${IOTHUB_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/iothub_device-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/iothub_device-config.cmake
  ${PROJECT_BINARY_DIR}/iothub_device-config-version.cmake
  DESTINATION ${IOTHUB_CMAKE_DIR})
# Relative paths, so that an installed tree can be moved.
file(RELATIVE_PATH IOTHUB_PC_TO_PREFIX /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
set(pc_files "")
if(IOTHUB_BUILD_POSIX)
  list(APPEND pc_files iothub-device.pc)
endif()
set(IOTHUB_PC_NETTLE "")
if(IOTHUB_USES_NETTLE)
  set(IOTHUB_PC_NETTLE ", nettle")
endif()
if(IOTHUB_BUILD_SQLITE)
  list(APPEND pc_files iothub-device-sqlite.pc)
endif()
if(IOTHUB_BUILD_CURL)
  list(APPEND pc_files iothub-device-curl.pc iothub-device-upload.pc)
endif()
if(IOTHUB_BUILD_WEBSOCKET)
  list(APPEND pc_files iothub-device-websocket.pc)
endif()
if(IOTHUB_BUILD_PKCS11)
  list(APPEND pc_files iothub-device-pkcs11.pc)
endif()
foreach(pc IN LISTS pc_files)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${pc}.in ${PROJECT_BINARY_DIR}/${pc} @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${pc} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
