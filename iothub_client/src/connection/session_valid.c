#include "connection/session_valid.h"

#ifndef NDEBUG

/* Returns whether the channel in use has reached at least the state of the connection. */
static bool channel_fits(const iothub_channel *ch, iothub_state state)
{
    if (state == IOTHUB_STOPPED || state == IOTHUB_WAITING || state == IOTHUB_PROVISIONING) {
        return ch->state == CHANNEL_CLOSED;
    }
    if (state == IOTHUB_RESOLVING && ch->state == CHANNEL_CLOSED) {
        /* The state could not be begun, which is reported before the connection counts as lost. */
        return true;
    }
    return life_has_stream(state) ? ch->state == CHANNEL_OPEN : channel_as_state(ch) >= state;
}

bool session_valid(const iothub_session *s)
{
    const iothub_state state = s->context->state;
    const bool renewable = state == IOTHUB_CONNECTED || state == IOTHUB_RENEWING;

    if (!changeover_valid(&s->changeover) ||
        !channel_fits(changeover_read_channel(&s->changeover), state)) {
        return false;
    }
    if (!renewable &&
        (s->changeover.renewal.due || channel_in_use(changeover_read_spare(&s->changeover)))) {
        return false;
    }
    return !s->gap.open || (state != IOTHUB_STOPPED && state != IOTHUB_WAITING);
}

#endif
