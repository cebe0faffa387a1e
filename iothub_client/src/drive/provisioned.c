#include "drive/client.h"

#include "context/options_check.h"
#include "text/text_writer.h"
#include "text/wipe.h"

iothub_result provisioned_take_options(iothub_options *to, const iothub_options *from,
                                       iothub_error *error)
{
    iothub_result r = options_take(to, from, error);

    if (r == IOTHUB_OK && to->platform == NULL) {
        r = iothub_fail(error, IOTHUB_ERR_ARG,
                        "options: platform is not set, e.g. to plat_posix()");
    }
    return r;
}

iothub_client *provisioned_make(provisioned_home *h, const iothub_options *o,
                                provisioned_maker *make, const client_place *place,
                                void (*release)(void *memory), iothub_error *error)
{
    const dps_request *request = &h->exchange->request;
    iothub_options own = *o;
    char text[PROVISIONED_STRING_SIZE];

    if (own.credentials == NULL && dps_request_identity(request) != NULL) {
        own.credentials = &request->credential;
        own.credential_count = 1;
    }
    provisioned_home_string(h, text);
    iothub_client *c = make(text, &own, place, error);
    iothub_wipe(text, sizeof text); /* it may contain the key */
    if (c != NULL) {
        client_set_home(c, &h->base);
        provisioned_home_attach(h, &c->context, &c->telemetry.limits, release);
    }
    /* cppcheck-suppress returnDanglingLifetime ; the client is not one of the local variables */
    return c;
}

/* --- in memory of the caller ------------------------------------------------------------------ */

static iothub_client *make_in_place(const char *connection_string, const iothub_options *o,
                                    const client_place *place, iothub_error *error)
{
    return iothub_init(place->memory, place->len, connection_string, o, error);
}

static iothub_client *fail_missing(size_t missing, iothub_error *error)
{
    (void)iothub_fail(error, IOTHUB_ERR_MEMORY,
                      "memory: %zu bytes more are needed for provisioning, and those of the client",
                      missing);
    return NULL;
}

iothub_client *iothub_init_provisioned(void *memory, size_t memory_len,
                                       const iothub_provisioning_options *p,
                                       const iothub_options *o, iothub_error *error)
{
    iothub_options known;
    provisioned_home *h;
    size_t needed;

    if (memory == NULL) {
        (void)iothub_fail(error, IOTHUB_ERR_ARG, "memory: is NULL");
        return NULL;
    }
    if (provisioned_take_options(&known, o, error) != IOTHUB_OK ||
        provisioned_home_make(&h, memory, memory_len, p, &known, &needed, error) != IOTHUB_OK) {
        return NULL;
    }
    if (h == NULL) {
        return fail_missing(needed - memory_len, error);
    }
    const client_place rest = { .memory = (uint8_t *)memory + needed, .len = memory_len - needed };
    iothub_client *c = provisioned_make(h, &known, make_in_place, &rest, NULL, error);
    if (c == NULL) {
        provisioned_home_drop(h);
    }
    /* cppcheck-suppress returnDanglingLifetime ; the client is not one of the local variables */
    return c;
}
