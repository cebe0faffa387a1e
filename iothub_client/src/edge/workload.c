#include "edge/workload.h"

#include <string.h>

#include "iothub/json.h"
#include "iothub/json_writer.h"
#include "text/base64.h"
#include "text/percent.h"

#define UNIX "unix://"

enum { DIGEST_BYTES = 32 }; /* HMAC-SHA256 */

const char *workload_socket(const workload_module *m)
{
    const size_t len = sizeof UNIX - 1;

    return strncmp(m->workload_uri, UNIX, len) == 0 ? m->workload_uri + len : NULL;
}

/* --- requests -------------------------------------------------------------------------------- */

/* With a Unix socket, the host of the URL is only a name. */
static void put_base(iothub_text *t, const workload_module *m)
{
    const char *uri = m->workload_uri;

    if (workload_socket(m) != NULL) {
        iothub_text_put(t, "http://workload");
        return;
    }
    size_t len = strlen(uri);
    while (len > 0 && uri[len - 1] == '/') {
        len--;
    }
    iothub_text_put_span(t, mqc_span_of(uri, len));
}

static void put_api_version(iothub_text *t, const workload_module *m)
{
    iothub_text_put(t, "?api-version=");
    iothub_percent_put(t, mqc_span_str(m->api_version));
}

void workload_put_bundle_url(iothub_text *t, const workload_module *m)
{
    put_base(t, m);
    iothub_text_put(t, "/trust-bundle");
    put_api_version(t, m);
}

void workload_put_sign_url(iothub_text *t, const workload_module *m)
{
    put_base(t, m);
    iothub_text_put(t, "/modules/");
    iothub_percent_put(t, mqc_span_str(m->module_id));
    iothub_text_put(t, "/genid/");
    iothub_percent_put(t, mqc_span_str(m->generation_id));
    iothub_text_put(t, "/sign");
    put_api_version(t, m);
}

iothub_result workload_put_sign_body(iothub_text *t, const plat_crypto *crypto, mqc_span text)
{
    char data[(WORKLOAD_SIGNED_MAX + 2) / 3 * 4];
    size_t len = 0;

    if (text.len > WORKLOAD_SIGNED_MAX) {
        return IOTHUB_ERR_TOO_BIG;
    }
    if (crypto->base64_encode(crypto, text.ptr, text.len, data, sizeof data, &len) != PLAT_OK) {
        return IOTHUB_ERR_CRYPTO;
    }
    iothub_text_put(t, "{\"keyId\":\"primary\",\"algo\":\"HMACSHA256\",\"data\":\"");
    iothub_text_put_span(t, mqc_span_of(data, len));
    iothub_text_put(t, "\"}");
    return IOTHUB_OK;
}

/* --- answers --------------------------------------------------------------------------------- */

/* Finds a member of the outermost object. The whole text must be JSON. */
static bool find_member(mqc_span body, const char *name, mqc_span *value)
{
    iothub_json_reader r;
    bool found = false;

    iothub_json_reader_init(&r, body);
    while (iothub_json_next(&r)) {
        if (r.depth == 1 && r.kind == IOTHUB_JSON_STRING && iothub_json_equals(r.name, name)) {
            *value = r.value;
            found = true;
        }
    }
    return found && r.result == IOTHUB_OK;
}

iothub_result workload_read_bundle(mqc_span body, char *out, size_t cap, size_t *len,
                                   iothub_error *error)
{
    mqc_span value;

    if (!find_member(body, "certificate", &value) ||
        iothub_json_get_string(value, out, cap, len) != IOTHUB_OK || *len == 0) {
        return iothub_fail(error, IOTHUB_ERR_JSON,
                           "workload API: the answer has no trust bundle (certificate)");
    }
    return IOTHUB_OK;
}

iothub_result workload_read_digest(mqc_span body, char out[WORKLOAD_DIGEST_SIZE],
                                   iothub_error *error)
{
    mqc_span value;
    size_t len = 0;
    size_t bytes = 0;

    if (!find_member(body, "digest", &value) ||
        iothub_json_get_string(value, out, WORKLOAD_DIGEST_SIZE, &len) != IOTHUB_OK ||
        !iothub_base64_valid(mqc_span_of(out, len), &bytes) || bytes != DIGEST_BYTES) {
        return iothub_fail(error, IOTHUB_ERR_JSON,
                           "workload API: the answer has no signature (digest)");
    }
    return IOTHUB_OK;
}
