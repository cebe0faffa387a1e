#include "connection/wish.h"

#include <assert.h>

static void cancel_stop(iothub_wish *w, iothub_wish_kind kind)
{
    w->kind = kind;
    w->stop_at = 0;
}

const char *wish_start(iothub_wish *w, bool is_stopped)
{
    assert(wish_valid(w));
    switch (w->kind) {
    case IOTHUB_WISH_NONE:
        if (!is_stopped) {
            return "iothub_start: already started; once is enough";
        }
        w->kind = IOTHUB_WISH_START;
        return NULL;
    case IOTHUB_WISH_STOP: w->kind = IOTHUB_WISH_STOP_START; return NULL;
    case IOTHUB_WISH_START_STOP: cancel_stop(w, IOTHUB_WISH_START); return NULL;
    case IOTHUB_WISH_START:
    case IOTHUB_WISH_STOP_START: break;
    }
    return "iothub_start: already started; the next iothub_process begins";
}

void wish_stop(iothub_wish *w, mqc_time stop_at)
{
    assert(wish_valid(w));
    bool starting = w->kind == IOTHUB_WISH_START || w->kind == IOTHUB_WISH_START_STOP;

    w->kind = starting ? IOTHUB_WISH_START_STOP : IOTHUB_WISH_STOP;
    w->stop_at = stop_at;
}

bool wish_take_start(iothub_wish *w)
{
    assert(wish_valid(w));
    switch (w->kind) {
    case IOTHUB_WISH_START: w->kind = IOTHUB_WISH_NONE; return true;
    case IOTHUB_WISH_START_STOP: w->kind = IOTHUB_WISH_STOP; return true;
    case IOTHUB_WISH_NONE:
    case IOTHUB_WISH_STOP:
    case IOTHUB_WISH_STOP_START: break;
    }
    return false;
}

/* Clears the wish; later requests wait for the next start. */
void wish_on_stopped(iothub_wish *w)
{
    assert(wish_valid(w));
    cancel_stop(w, w->kind == IOTHUB_WISH_STOP_START ? IOTHUB_WISH_START : IOTHUB_WISH_NONE);
}

#ifndef NDEBUG
bool wish_valid(const iothub_wish *w)
{
    switch (w->kind) {
    case IOTHUB_WISH_NONE:
    case IOTHUB_WISH_START: return w->stop_at == 0;
    case IOTHUB_WISH_STOP:
    case IOTHUB_WISH_START_STOP:
    case IOTHUB_WISH_STOP_START: return true;
    }
    return false;
}
#endif
