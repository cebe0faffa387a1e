#include "text/sized_struct.h"

#include <string.h>

#include "text/text_writer.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

iothub_result iothub_struct_in(void *to, size_t to_size, const void *from, size_t from_size,
                               const char *what, iothub_error *error)
{
    const unsigned char *bytes = from;

    for (size_t i = to_size; i < from_size; i++) {
        if (bytes[i] != 0) {
            return iothub_fail(error, IOTHUB_ERR_UNSUPPORTED,
                               "%s: a field is set that this version of the SDK does not know",
                               what);
        }
    }
    iothub_struct_out(to, to_size, from, from_size);
    return IOTHUB_OK;
}

void iothub_struct_out(void *to, size_t to_size, const void *from, size_t from_size)
{
    memset(to, 0, to_size);
    memcpy(to, from, smaller(from_size, to_size));
}
