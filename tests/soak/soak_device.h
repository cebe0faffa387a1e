#ifndef SOAK_DEVICE_H
#define SOAK_DEVICE_H

/** Say what does not hold, on standard error, and end with 1. */
_Noreturn void soak_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
