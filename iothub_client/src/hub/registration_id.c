#include "hub/registration_id.h"

#include <stdbool.h>

#include "iothub/provisioning.h"
#include "text/split.h"
#include "text/text_writer.h"

static bool is_alnum(uint8_t c)
{
    return iothub_is_letter(c) || iothub_is_digit(c);
}

static bool may_be_inside(uint8_t c)
{
    return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == ':';
}

iothub_result registration_id_check(mqc_span id, iothub_error *err)
{
    if (id.len == 0) {
        return iothub_fail(err, IOTHUB_ERR_PART_INVALID, "registration id: is empty");
    }
    if (id.len > IOTHUB_REGISTRATION_ID_MAX) {
        return iothub_fail(err, IOTHUB_ERR_PART_INVALID,
                           "registration id: is longer than 128 characters");
    }
    for (size_t i = 0; i < id.len; i++) {
        if (!may_be_inside(id.ptr[i])) {
            return iothub_fail(
                err, IOTHUB_ERR_PART_INVALID,
                "registration id: character %zu is none of A-Z a-z 0-9 - . _ :", i + 1);
        }
    }
    if (!is_alnum(id.ptr[0]) || !is_alnum(id.ptr[id.len - 1])) {
        return iothub_fail(err, IOTHUB_ERR_PART_INVALID,
                           "registration id: begins or ends with neither a letter nor a digit");
    }
    return IOTHUB_OK;
}

iothub_result id_scope_check(mqc_span scope, iothub_error *err)
{
    bool good = scope.len > 0 && scope.len <= IOTHUB_ID_SCOPE_MAX;

    for (size_t i = 0; good && i < scope.len; i++) {
        good = is_alnum(scope.ptr[i]);
    }
    return good ? IOTHUB_OK
                : iothub_fail(err, IOTHUB_ERR_PART_INVALID,
                              "id scope: is not 1 to 64 letters and digits, such as 0ne00000000; "
                              "the portal shows it on the page of the service");
}
