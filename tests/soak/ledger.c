#include "ledger.h"

#include "soak_device.h"

void *ledger_next(const ledger *l)
{
    return (void *)(uintptr_t)(l->last == UINT32_MAX ? 1 : l->last + 1);
}

void ledger_open(ledger *l, iothub_op_kind kind)
{
    uint32_t tag = (uint32_t)(uintptr_t)ledger_next(l);
    size_t slot = tag % LEDGER_SIZE;

    if (l->slots[slot].tag != 0) {
        soak_fail("request %u never ended", l->slots[slot].tag);
    }
    l->slots[slot].tag = tag;
    l->slots[slot].kind = kind;
    l->last = tag;
    l->open++;
}

void ledger_close(ledger *l, const iothub_done *d)
{
    uint32_t tag = (uint32_t)(uintptr_t)d->tag;
    size_t slot = tag % LEDGER_SIZE;

    if (l->slots[slot].tag != tag || l->slots[slot].kind != d->kind) {
        soak_fail("request %u ended twice, or was never accepted", tag);
    }
    l->slots[slot].tag = 0;
    l->open--;
}
