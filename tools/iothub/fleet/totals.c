#include "fleet/totals.h"

static size_t kind_of(iothub_result r)
{
    size_t kind = r < 0 ? (size_t)-r : 0;
    return kind < FLEET_ERROR_KINDS ? kind : FLEET_ERROR_KINDS - 1;
}

static uint64_t sum(const uint64_t *counts)
{
    uint64_t all = 0;

    for (size_t i = 0; i < FLEET_ERROR_KINDS; i++) {
        all += counts[i];
    }
    return all;
}

void fleet_totals_connected(fleet_totals *t, bool first)
{
    t->connected++;
    t->connects++;
    if (first) {
        t->ever_connected++;
    }
}

void fleet_totals_disconnected(fleet_totals *t, bool lost)
{
    t->connected--;
    if (lost) {
        t->losses++;
    }
}

void fleet_totals_link_failed(fleet_totals *t, iothub_result reason)
{
    t->link_errors[kind_of(reason)]++;
}

void fleet_totals_message_due(fleet_totals *t, bool accepted)
{
    if (accepted) {
        t->sent++;
    } else {
        t->skipped++;
    }
}

void fleet_totals_message_arrived(fleet_totals *t, uint64_t latency_us)
{
    t->arrived++;
    fleet_latency_add(&t->latency, latency_us);
}

void fleet_totals_message_failed(fleet_totals *t, iothub_result reason)
{
    t->message_errors[kind_of(reason)]++;
}

void fleet_totals_method_answered(fleet_totals *t)
{
    t->methods++;
}

void fleet_totals_desired_reported(fleet_totals *t)
{
    t->desired++;
}

void fleet_totals_add_resumed(fleet_totals *t, uint64_t count)
{
    t->resumed += count;
}

uint64_t fleet_totals_failed_messages(const fleet_totals *t)
{
    return sum(t->message_errors);
}

uint64_t fleet_totals_errors(const fleet_totals *t)
{
    return sum(t->link_errors) + sum(t->message_errors);
}
