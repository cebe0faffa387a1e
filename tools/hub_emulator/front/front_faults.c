#include "front/front_faults.h"

#define ALERT_MAX  255
#define STATUS_MIN 400
#define STATUS_MAX 599

void hub_front_faults_take(hub_front_faults *f, const hub_note *order)
{
    if (order->kind == HUB_NOTE_REFUSE_TLS && order->value <= ALERT_MAX) {
        f->tls_left = order->count;
        f->alert = order->value;
    } else if (order->kind == HUB_NOTE_REFUSE_UPGRADES && order->value >= STATUS_MIN &&
               order->value <= STATUS_MAX) {
        f->refusals_left = order->count;
        f->status = order->value;
    } else if (order->kind == HUB_NOTE_DELAY_UPGRADES) {
        f->delays_left = order->count;
        f->delay_ms = order->value;
    }
}

/* Returns whether an order is left, and counts it. */
static bool take_one(uint64_t *left)
{
    if (*left == 0) {
        return false;
    }
    --*left;
    return true;
}

bool hub_front_faults_refuse_tls(hub_front_faults *f, uint8_t *alert)
{
    *alert = (uint8_t)f->alert;
    return take_one(&f->tls_left);
}

bool hub_front_faults_refuse_upgrade(hub_front_faults *f, unsigned *status)
{
    *status = f->status;
    return take_one(&f->refusals_left);
}

uint32_t hub_front_faults_delay_upgrade(hub_front_faults *f)
{
    return take_one(&f->delays_left) ? f->delay_ms : 0;
}
