#ifndef IOTHUB_CERTIFICATE_SLOTS_H
#define IOTHUB_CERTIFICATE_SLOTS_H

/**
 * @file
 * The issued certificate that has logged in last, and the one that is to replace it, each with the
 * list of credentials that begins with it.
 */

#include <stdbool.h>

#include "iothub/credential.h"

typedef struct certificate_slot {
    plat_identity *identity; /* NULL: the slot is empty */
    /* The issued certificate, then the other credentials of the client. */
    iothub_credential list[IOTHUB_CREDENTIALS_MAX];
} certificate_slot;

typedef struct certificate_slots {
    const plat_identities *identities;
    size_t others; /* number of other credentials in each list */
    certificate_slot slots[2];
    unsigned used; /* index of the certificate that has logged in last */
} certificate_slots;

void slots_init(certificate_slots *s, const plat_identities *identities);
/** Sets the other credentials, fewer than IOTHUB_CREDENTIALS_MAX. */
void slots_set_others(certificate_slots *s, const iothub_credential *list, size_t count);

static inline const certificate_slot *slots_used(const certificate_slots *s)
{
    return &s->slots[s->used];
}

static inline const certificate_slot *slots_next(const certificate_slots *s)
{
    return &s->slots[1 - s->used];
}

/** Puts a certificate into the slot of the next one, which may be occupied. */
void slots_offer(certificate_slots *s, plat_identity *identity);
/** The next certificate has logged in: it takes the place of the one in use. */
void slots_adopt(certificate_slots *s);
/** The certificate in use becomes the next one, because another client begins. */
void slots_withdraw(certificate_slots *s);
/** Drops the next certificate. */
void slots_drop_next(certificate_slots *s);
/** Releases both. */
void slots_deinit(certificate_slots *s);

bool slots_valid(const certificate_slots *s);

#endif
