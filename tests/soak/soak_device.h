#ifndef SOAK_DEVICE_H
#define SOAK_DEVICE_H

/** Prints what went wrong on standard error and exits with status 1. */
_Noreturn void soak_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
