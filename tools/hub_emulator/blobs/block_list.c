#include "blobs/block_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"

static const char *const tags[] = { "Latest", "Committed", "Uncommitted" };
#define TAG_COUNT (sizeof tags / sizeof tags[0])

bool hub_block_id_read(hub_block_id *id, const char *base64)
{
    size_t len = 0;
    uint8_t *bytes = hub_base64_decode(base64, &len);

    *id = (hub_block_id){ .len = 0 };
    if (bytes != NULL && len > 0 && len <= sizeof id->bytes) {
        memcpy(id->bytes, bytes, len);
        id->len = len;
    }
    free(bytes);
    return id->len > 0;
}

static void skip_space(const char **at)
{
    *at += strspn(*at, " \t\r\n");
}

/* Skips this text if the document continues with it. */
static bool take(const char **at, const char *text)
{
    const size_t len = strlen(text);

    if (strncmp(*at, text, len) != 0) {
        return false;
    }
    *at += len;
    return true;
}

/* A byte order mark and the declaration, both of which may be missing. */
static bool take_start(const char **at)
{
    (void)take(at, "\xEF\xBB\xBF");
    skip_space(at);
    if (take(at, "<?xml")) {
        const char *end = strstr(*at, "?>");
        if (end == NULL) {
            return false;
        }
        *at = end + 2;
        skip_space(at);
    }
    return take(at, "<BlockList>");
}

/* Takes the text up to the end tag, as an id. */
static bool take_id(const char **at, const char *tag, hub_block_id *id)
{
    const size_t len = strcspn(*at, "<");
    char *text = hub_memdup(*at, len);
    char *end = hub_format("</%s>", tag);

    *at += len;
    bool ok = take(at, end) && hub_block_id_read(id, text);
    free(text);
    free(end);
    return ok;
}

static bool take_item(const char **at, hub_block_item *item)
{
    for (size_t i = 0; i < TAG_COUNT; i++) {
        char *start = hub_format("<%s>", tags[i]);
        bool here = take(at, start);
        free(start);
        if (here) {
            item->source = (hub_block_source)i;
            return take_id(at, tags[i], &item->id);
        }
    }
    return false;
}

static bool take_items(const char **at, hub_block_list *list)
{
    size_t cap = 0;

    for (skip_space(at); !take(at, "</BlockList>"); skip_space(at)) {
        if (list->count == cap) {
            cap = cap > 0 ? 2 * cap : 16;
            list->items = hub_realloc(list->items, cap * sizeof *list->items);
        }
        if (list->count == HUB_BLOCKS_MAX || !take_item(at, &list->items[list->count])) {
            return false;
        }
        list->count++;
    }
    skip_space(at);
    return **at == '\0';
}

bool hub_block_list_read(hub_block_list *list, const char *xml)
{
    *list = (hub_block_list){ .items = NULL };
    if (take_start(&xml) && take_items(&xml, list)) {
        return true;
    }
    hub_block_list_free(list);
    return false;
}

void hub_block_list_free(hub_block_list *list)
{
    free(list->items);
    *list = (hub_block_list){ .items = NULL };
}
