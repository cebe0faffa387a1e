#include "connection/wish.h"

const char *wish_start(iothub_wish *w, bool is_stopped)
{
    switch (w->kind) {
    case IOTHUB_WISH_NONE:
        if (!is_stopped) {
            return "iothub_start: already started; once is enough";
        }
        w->kind = IOTHUB_WISH_START;
        return NULL;
    case IOTHUB_WISH_STOP: w->kind = IOTHUB_WISH_STOP_START; return NULL;
    case IOTHUB_WISH_START_STOP: w->kind = IOTHUB_WISH_START; return NULL;
    case IOTHUB_WISH_START:
    case IOTHUB_WISH_STOP_START: break;
    }
    return "iothub_start: already started; the next iothub_process begins";
}

void wish_stop(iothub_wish *w, mqc_time stop_at)
{
    bool starting = w->kind == IOTHUB_WISH_START || w->kind == IOTHUB_WISH_START_STOP;

    w->kind = starting ? IOTHUB_WISH_START_STOP : IOTHUB_WISH_STOP;
    w->stop_at = stop_at;
}

bool wish_take_start(iothub_wish *w)
{
    switch (w->kind) {
    case IOTHUB_WISH_START: w->kind = IOTHUB_WISH_NONE; return true;
    case IOTHUB_WISH_START_STOP: w->kind = IOTHUB_WISH_STOP; return true;
    case IOTHUB_WISH_NONE:
    case IOTHUB_WISH_STOP:
    case IOTHUB_WISH_STOP_START: break;
    }
    return false;
}

/* Later requests wait for the next start. */
void wish_on_stopped(iothub_wish *w)
{
    w->kind = w->kind == IOTHUB_WISH_STOP_START ? IOTHUB_WISH_START : IOTHUB_WISH_NONE;
}
