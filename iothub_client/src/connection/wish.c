#include "connection/wish.h"

bool wish_start(iothub_wish *w)
{
    switch (w->kind) {
    case IOTHUB_WISH_NONE: w->kind = IOTHUB_WISH_START; return true;
    case IOTHUB_WISH_STOP: w->kind = IOTHUB_WISH_STOP_START; return true;
    case IOTHUB_WISH_START_STOP: w->kind = IOTHUB_WISH_START; return true;
    case IOTHUB_WISH_START:
    case IOTHUB_WISH_STOP_START: break;
    }
    return false;
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

/* What comes from now on waits for the next start. */
void wish_on_stopped(iothub_wish *w)
{
    w->kind = w->kind == IOTHUB_WISH_STOP_START ? IOTHUB_WISH_START : IOTHUB_WISH_NONE;
}
