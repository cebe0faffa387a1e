#include "rest/rest_watch.h"

#include <stdlib.h>

#include "base/text.h"

void rest_watch_take(rest_watch *w, const hub_telemetry *t, size_t len, hub_text *out)
{
    while (w->left > 0 && out->len < len) {
        const hub_event *event = hub_telemetry_from(t, &w->next, w->device);
        if (event == NULL) {
            return;
        }
        hub_text_add(out, event->json, event->len);
        hub_text_str(out, "\n");
        w->next++;
        w->left--;
    }
}

void rest_watch_end(rest_watch *w)
{
    w->left = 0;
}

bool rest_watch_over(const rest_watch *w, int64_t up_ms)
{
    return w->left == 0 || (w->deadline_ms != 0 && up_ms >= w->deadline_ms);
}

void rest_watch_free(rest_watch *w)
{
    free(w->device);
    w->device = NULL;
}
