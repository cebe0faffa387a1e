#include <stdlib.h>

#include "drive/client.h"
#include "provisioning/provisioning.h"
#include "text/text_writer.h"

/* Implements the functions of iothub/provisioning.h that use the heap. */

static iothub_result fail_heap(iothub_error *error)
{
    return iothub_fail(error, IOTHUB_ERR_MEMORY, "no heap left for a registration");
}

/* --- a registration alone ------------------------------------------------------------------ */

iothub_provisioning *iothub_provisioning_new(const iothub_provisioning_options *p,
                                             const iothub_options *o, iothub_error *error)
{
    size_t needed;

    iothub_provisioning *r = provisioning_make(NULL, 0, p, o, &needed, error);
    if (needed == 0) {
        return r;
    }
    void *memory = malloc(needed);
    if (memory == NULL) {
        (void)fail_heap(error);
        return NULL;
    }
    r = provisioning_make(memory, needed, p, o, &needed, error);
    if (r == NULL) {
        free(memory);
    }
    return r;
}

void iothub_provisioning_free(iothub_provisioning *r)
{
    if (r != NULL) {
        free(provisioning_end(r));
    }
}

/* --- a client ----------------------------------------------------------------------------------
 */

static provisioned_home *make_home(const iothub_provisioning_options *p, const iothub_options *o,
                                   iothub_error *error)
{
    provisioned_home *h;
    size_t needed;

    if (provisioned_home_make(&h, NULL, 0, p, o, &needed, error) != IOTHUB_OK) {
        return NULL;
    }
    void *memory = malloc(needed);
    if (memory == NULL) {
        (void)fail_heap(error);
        return NULL;
    }
    if (provisioned_home_make(&h, memory, needed, p, o, &needed, error) != IOTHUB_OK) {
        free(memory);
        return NULL;
    }
    return h;
}

static void drop_home(provisioned_home *h)
{
    void *memory = h->memory;

    provisioned_home_drop(h);
    free(memory);
}

static iothub_client *make_on_heap(const char *connection_string, const iothub_options *o,
                                   const client_place *place, iothub_error *error)
{
    (void)place;
    return iothub_new(connection_string, o, error);
}

iothub_client *iothub_new_provisioned(const iothub_provisioning_options *p, const iothub_options *o,
                                      iothub_error *error)
{
    iothub_options known;

    if (provisioned_take_options(&known, o, error) != IOTHUB_OK) {
        return NULL;
    }
    provisioned_home *h = make_home(p, &known, error);
    if (h == NULL) {
        return NULL;
    }
    iothub_client *c = provisioned_make(h, &known, make_on_heap, NULL, free, error);
    if (c == NULL) {
        drop_home(h);
    }
    return c;
}
