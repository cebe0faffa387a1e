#include "hub/connection_string_take.h"

#include "text/sized_struct.h"
#include "text/text_writer.h"

iothub_result iothub_connection_string_take(iothub_connection_string *to,
                                            const iothub_connection_string *cs, size_t struct_size,
                                            iothub_error *err)
{
    if (cs == NULL) {
        return iothub_fail(err, IOTHUB_ERR_ARG, "connection string: is NULL");
    }
    return iothub_struct_in(to, sizeof *to, cs, struct_size, "connection string", err);
}
