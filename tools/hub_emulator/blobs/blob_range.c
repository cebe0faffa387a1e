#include "blobs/blob_range.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define UNIT "bytes="

/* Reads decimal digits and moves *text behind them. Returns false if there are none. */
static bool read_number(const char **text, uint64_t *out)
{
    char *end;

    if (isdigit((unsigned char)**text) == 0) {
        return false;
    }
    *out = strtoull(*text, &end, 10);
    *text = end;
    return true;
}

/* Returns false if the text is not one range with a beginning. */
static bool parse(const char *text, uint64_t *first, uint64_t *last)
{
    if (strncmp(text, UNIT, strlen(UNIT)) != 0) {
        return false;
    }
    text += strlen(UNIT);
    if (!read_number(&text, first) || *text++ != '-') {
        return false;
    }
    (void)read_number(&text, last);
    return *text == '\0';
}

bool hub_blob_range_read(const char *text, uint64_t size, hub_blob_range *out)
{
    uint64_t first = 0;
    uint64_t last = UINT64_MAX;

    *out = (hub_blob_range){ .last = size > 0 ? size - 1 : 0 };
    if (text == NULL || !parse(text, &first, &last)) {
        return true;
    }
    out->given = true;
    out->first = first;
    out->last = last < out->last ? last : out->last;
    return first < size && first <= out->last;
}
