#include "hub/sas_text.h"

#include "text/percent.h"

/* The text to be signed is "sr \n se", and sr is the first field of the token. So this text is
 * written in its place first, and later the token continues after sr. */
mqc_span sas_text_begin(iothub_text *t, mqc_span resource, uint64_t expiry_s, sas_draft *draft)
{
    iothub_text_put(t, "SharedAccessSignature sr=");
    draft->resource_at = t->len;
    iothub_percent_put(t, resource);
    draft->resource_end = t->len;
    iothub_text_put_char(t, '\n');
    iothub_text_put_u64(t, expiry_s);
    return mqc_span_of(t->buf + draft->resource_at, t->len - draft->resource_at);
}

void sas_text_end(iothub_text *t, const sas_draft *draft, mqc_span signature, uint64_t expiry_s,
                  mqc_span policy)
{
    iothub_text_cut(t, draft->resource_end);
    iothub_text_put(t, "&sig=");
    iothub_percent_put(t, signature);
    iothub_text_put(t, "&se=");
    iothub_text_put_u64(t, expiry_s);
    if (policy.len != 0) {
        iothub_text_put(t, "&skn=");
        iothub_percent_put(t, policy);
    }
}
