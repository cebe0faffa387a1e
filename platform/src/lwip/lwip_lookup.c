#include "lwip/lwip_lookup.h"

#include <stddef.h>

#include <lwip/dns.h>

struct lwip_lookup {
    bool busy;             /* lwIP will call answered */
    lwip_lookup_done done; /* NULL: nobody waits any more */
    void *user;
};

/* lwIP has room for as many names in its table, and for one request of each. */
static lwip_lookup slots[DNS_TABLE_SIZE];

static lwip_lookup *free_slot(void)
{
    for (size_t i = 0; i < DNS_TABLE_SIZE; i++) {
        if (!slots[i].busy) {
            return &slots[i];
        }
    }
    return NULL;
}

static void answered(const char *name, const ip_addr_t *address, void *arg)
{
    lwip_lookup *lookup = arg;
    const lwip_lookup_done done = lookup->done;

    (void)name;
    lookup->busy = false;
    lookup->done = NULL;
    if (done != NULL) {
        done(lookup->user, address);
    }
}

plat_result lwip_lookup_begin(const char *host, uint8_t type, lwip_lookup_done done, void *user,
                              ip_addr_t *address, lwip_lookup **out)
{
    lwip_lookup *lookup = free_slot();

    *out = NULL;
    if (lookup == NULL) {
        return PLAT_ERR_MEMORY;
    }
    *lookup = (lwip_lookup){ .busy = true, .done = done, .user = user };
    err_t e = dns_gethostbyname_addrtype(host, address, answered, lookup, type);
    if (e == ERR_INPROGRESS) {
        *out = lookup;
        return PLAT_WOULD_BLOCK;
    }
    *lookup = (lwip_lookup){ .busy = false };
    if (e == ERR_OK) {
        return PLAT_OK;
    }
    return e == ERR_ARG ? PLAT_ERR_ARG : e == ERR_MEM ? PLAT_ERR_MEMORY : PLAT_ERR_DNS;
}

void lwip_lookup_forget(lwip_lookup *lookup)
{
    if (lookup != NULL) {
        lookup->done = NULL;
    }
}
