/* Makes a query from its text. */

#include <stdlib.h>

#include "query/query_clauses.h"
#include "query/query_settle.h"

/* Returns the FNV-1a hash of the text, which is only used to distinguish queries. */
static uint64_t mark_of(const char *text)
{
    uint64_t mark = UINT64_C(0xCBF29CE484222325);

    for (; *text != '\0'; text++) {
        mark = (mark ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    }
    return mark;
}

hub_result hub_query_parse(const char *text, hub_query **out, hub_fault *fault)
{
    query_parser p = { .query = hub_calloc(1, sizeof *p.query) };

    query_program_set_mark(p.query, mark_of(text));
    bool ok = query_lex_start(&p.lexer, text, fault) && query_parse_clauses(&p) && query_settle(&p);
    query_lex_end(&p.lexer);
    if (!ok) {
        hub_query_free(p.query);
        p.query = NULL;
    }
    *out = p.query;
    return ok ? HUB_OK : HUB_ERR_ARGUMENT;
}
