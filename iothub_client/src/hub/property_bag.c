#include "hub/property_bag.h"

#include "text/decimal.h"
#include "text/percent.h"
#include "text/split.h"

/* Appends z after an optional separator. Most texts need no escape and are copied in one piece. */
static void put_text(iothub_bag_writer *w, char separator, bool wanted, const char *z)
{
    iothub_text *t = w->text;
    size_t len = iothub_percent_run(z);
    char *to = t->buf + t->len;

    if (z[len] != '\0' || t->overflow || len + 1 >= t->cap - t->len) {
        w->verbatim = false;
        iothub_percent_put_text(t, wanted ? separator : '\0', z, &w->counted);
        return;
    }
    to[0] = separator;
    iothub_text_advance(t, wanted + len);
    w->counted += len;
    memcpy(to + wanted, z, len);
}

bool iothub_bag_put(iothub_bag_writer *w, const char *name, const char *value)
{
    w->verbatim = true;
    put_text(w, '&', w->started, name);
    put_text(w, '=', true, value);
    w->started = true;
    return w->verbatim;
}

bool iothub_bag_put_system(iothub_bag_writer *w, const char *name, const char *value)
{
    iothub_text_put(w->text, w->started ? "&%24." : "%24.");
    iothub_text_put(w->text, name);
    w->verbatim = true;
    put_text(w, '=', true, value);
    w->started = true;
    return w->verbatim;
}

bool iothub_bag_next(mqc_span *rest, iothub_bag_pair *pair)
{
    mqc_span item;

    if (rest->len == 0) {
        return false;
    }
    (void)iothub_cut(*rest, '&', &item, rest);
    pair->has_value = iothub_cut(item, '=', &pair->name, &pair->value);
    return true;
}

iothub_result iothub_bag_check(mqc_span bag)
{
    iothub_bag_pair pair;

    if (bag.len != 0 && bag.ptr[bag.len - 1] == '&') {
        return IOTHUB_ERR_PROTOCOL;
    }
    while (iothub_bag_next(&bag, &pair)) {
        if (pair.name.len == 0 || !iothub_percent_valid(pair.name) ||
            !iothub_percent_valid(pair.value)) {
            return IOTHUB_ERR_PROTOCOL;
        }
    }
    return IOTHUB_OK;
}

bool iothub_bag_find(mqc_span bag, mqc_span name, iothub_bag_pair *pair)
{
    while (iothub_bag_next(&bag, pair)) {
        if (iothub_percent_eq(pair->name, name)) {
            return true;
        }
    }
    return false;
}

iothub_result iothub_bag_u64(const iothub_bag_pair *pair, uint64_t *out)
{
    bool good = iothub_decimal_parse(pair->value, out) == IOTHUB_DECIMAL_OK;

    return good ? IOTHUB_OK : IOTHUB_ERR_PROTOCOL;
}
