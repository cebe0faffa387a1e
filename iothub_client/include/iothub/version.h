#ifndef IOTHUB_VERSION_H
#define IOTHUB_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

/* Semantic versioning of the source API. */
#define IOTHUB_VERSION_MAJOR  0
#define IOTHUB_VERSION_MINOR  1
#define IOTHUB_VERSION_PATCH  0
#define IOTHUB_VERSION_STRING "0.1.0"

/** The version of the library that is linked: IOTHUB_VERSION_STRING of its build. */
const char *iothub_version(void);

#ifdef __cplusplus
}
#endif
#endif
