#ifndef IOTHUB_VERSION_H
#define IOTHUB_VERSION_H

/**
 * @file
 * The version of the SDK, by the rules of semantic versioning: sources that compile with one
 * version compile with every later one of the same major number. While the major number is 0, a
 * new minor number may change the API.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define IOTHUB_VERSION_MAJOR  0       /**< Changes when the API breaks. */
#define IOTHUB_VERSION_MINOR  1       /**< Changes when the API grows. */
#define IOTHUB_VERSION_PATCH  0       /**< Changes with each release that only fixes faults. */
#define IOTHUB_VERSION_STRING "0.1.0" /**< The three numbers as one text. */

/**
 * Returns the version of the library that the program is linked with.
 *
 * @return the IOTHUB_VERSION_STRING that the library was built with; a static text
 */
const char *iothub_version(void);

#ifdef __cplusplus
}
#endif
#endif
