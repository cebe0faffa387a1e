#include "certificate/slots.h"

#include <assert.h>
#include <string.h>

void slots_init(certificate_slots *s, const plat_identities *identities)
{
    memset(s, 0, sizeof *s);
    s->identities = identities;
}

bool slots_valid(const certificate_slots *s)
{
    return s->used <= 1 && s->others < IOTHUB_CREDENTIALS_MAX;
}

void slots_set_others(certificate_slots *s, const iothub_credential *list, size_t count)
{
    s->others = count;
    assert(slots_valid(s));
    for (size_t i = 0; i < 2; i++) {
        memcpy(s->slots[i].list + 1, list, count * sizeof *list);
    }
}

/* The streams that use an identity have references of their own. */
static void release(certificate_slots *s, certificate_slot *slot)
{
    s->identities->release(slot->identity);
    slot->identity = NULL;
}

void slots_offer(certificate_slots *s, plat_identity *identity)
{
    assert(slots_valid(s));
    certificate_slot *slot = &s->slots[1 - s->used];

    release(s, slot);
    slot->identity = identity;
    slot->list[0] = iothub_x509_credential(identity);
}

void slots_adopt(certificate_slots *s)
{
    assert(slots_valid(s));
    release(s, &s->slots[s->used]);
    s->used = 1 - s->used;
}

void slots_withdraw(certificate_slots *s)
{
    assert(slots_valid(s));
    if (s->slots[s->used].identity != NULL) {
        slots_drop_next(s);
        s->used = 1 - s->used;
    }
}

void slots_drop_next(certificate_slots *s)
{
    assert(slots_valid(s));
    release(s, &s->slots[1 - s->used]);
}

void slots_deinit(certificate_slots *s)
{
    release(s, &s->slots[0]);
    release(s, &s->slots[1]);
}
