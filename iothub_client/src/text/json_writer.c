#include "iothub/json_writer.h"

#include "text/binary64.h"
#include "text/json_path.h"
#include "text/json_scan.h"
#include "text/text_writer.h"

void iothub_json_writer_init(iothub_json_writer *w, char *buf, size_t cap)
{
    const iothub_json_writer empty = { .cap = cap };

    *w = empty;
    w->buf = buf;
}

static void fail(iothub_json_writer *w, iothub_result why)
{
    if (w->result == IOTHUB_OK) {
        w->result = why;
    }
}

static void put(iothub_json_writer *w, mqc_span text)
{
    iothub_text t;

    if (w->result != IOTHUB_OK) {
        return;
    }
    iothub_text_init(&t, w->buf, w->cap);
    iothub_text_advance(&t, w->len);
    iothub_text_put_span(&t, text);
    if (t.overflow) {
        fail(w, IOTHUB_ERR_NO_SPACE);
        return;
    }
    w->len += text.len;
}

static void put_word(iothub_json_writer *w, const char *word)
{
    put(w, mqc_span_str(word));
}

/* --- strings --------------------------------------------------------------------- */

static void put_escape(iothub_json_writer *w, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    static const char characters[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *at = c != 0 ? strchr(characters, c) : NULL;

    if (at != NULL) {
        const char escape[] = { '\\', letters[at - characters] };
        put(w, mqc_span_of(escape, sizeof escape));
    } else {
        const char escape[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
        put(w, mqc_span_of(escape, sizeof escape));
    }
}

static bool needs_escape(uint32_t c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

static void put_quoted(iothub_json_writer *w, mqc_span text)
{
    iothub_json_scan s = iothub_json_scan_of(text, 0);
    const uint8_t *from = s.p;

    put_word(w, "\"");
    while (s.p < s.end) {
        const uint8_t *at = s.p;
        uint32_t c;
        if (!iothub_json_scan_utf8(&s, &c)) {
            fail(w, IOTHUB_ERR_ARG);
            return;
        }
        if (needs_escape(c)) {
            put(w, mqc_span_of(from, (size_t)(at - from)));
            put_escape(w, *at);
            from = s.p;
        }
    }
    put(w, mqc_span_of(from, (size_t)(s.end - from)));
    put_word(w, "\"");
}

/* --- names and brackets ---------------------------------------------------------- */

static bool in_object(const iothub_json_writer *w)
{
    return w->open != 0 && (w->braces & 1u) != 0;
}

static void comma(iothub_json_writer *w)
{
    if (w->state == IOTHUB_JSON_WRITER_NEXT) {
        put_word(w, ",");
    }
}

/* Writes what precedes a value. */
static void begin(iothub_json_writer *w, const char *name)
{
    const bool wants_name = in_object(w) && w->state != IOTHUB_JSON_WRITER_VALUE;

    if (w->state == IOTHUB_JSON_WRITER_DONE || wants_name != (name != NULL)) {
        fail(w, IOTHUB_ERR_STATE);
        return;
    }
    comma(w);
    if (name != NULL) {
        put_quoted(w, mqc_span_str(name));
        put_word(w, ":");
    }
}

/* Called when a value is complete. */
static void end(iothub_json_writer *w)
{
    w->state = w->open != 0 ? IOTHUB_JSON_WRITER_NEXT : IOTHUB_JSON_WRITER_DONE;
}

static void open_bracket(iothub_json_writer *w, const char *name, bool brace)
{
    begin(w, name);
    if (w->open == IOTHUB_JSON_DEPTH) {
        fail(w, IOTHUB_ERR_STATE);
        return;
    }
    put_word(w, brace ? "{" : "[");
    w->braces = w->braces << 1 | (brace ? 1u : 0u);
    w->open++;
    w->state = IOTHUB_JSON_WRITER_FIRST;
}

void iothub_json_put_object(iothub_json_writer *w, const char *name)
{
    open_bracket(w, name, true);
}

void iothub_json_put_array(iothub_json_writer *w, const char *name)
{
    open_bracket(w, name, false);
}

void iothub_json_put_end(iothub_json_writer *w)
{
    if (w->open == 0 || w->state == IOTHUB_JSON_WRITER_VALUE) {
        fail(w, IOTHUB_ERR_STATE);
        return;
    }
    put_word(w, in_object(w) ? "}" : "]");
    w->braces >>= 1;
    w->open--;
    end(w);
}

void iothub_json_put_name(iothub_json_writer *w, mqc_span string)
{
    if (!in_object(w) || w->state == IOTHUB_JSON_WRITER_VALUE) {
        fail(w, IOTHUB_ERR_STATE);
        return;
    }
    if (iothub_json_kind_of(string) != IOTHUB_JSON_STRING ||
        iothub_json_check(string, NULL) != IOTHUB_OK) {
        fail(w, IOTHUB_ERR_JSON);
        return;
    }
    comma(w);
    put(w, string);
    put_word(w, ":");
    w->state = IOTHUB_JSON_WRITER_VALUE;
}

/* --- values ---------------------------------------------------------------------- */

static void put_value(iothub_json_writer *w, const char *name, mqc_span text)
{
    begin(w, name);
    put(w, text);
    end(w);
}

void iothub_json_put_text(iothub_json_writer *w, const char *name, mqc_span text)
{
    begin(w, name);
    put_quoted(w, text);
    end(w);
}

static void put_number(iothub_json_writer *w, const char *name, bool negative, uint64_t value)
{
    char digits[24]; /* room for a sign and 20 digits */
    iothub_text t;

    iothub_text_init(&t, digits, sizeof digits);
    iothub_text_put(&t, negative ? "-" : "");
    iothub_text_put_u64(&t, value);
    put_value(w, name, iothub_text_span(&t));
}

void iothub_json_put_int(iothub_json_writer *w, const char *name, int64_t value)
{
    put_number(w, name, value < 0, value < 0 ? ~(uint64_t)value + 1 : (uint64_t)value);
}

void iothub_json_put_uint(iothub_json_writer *w, const char *name, uint64_t value)
{
    put_number(w, name, false, value);
}

/* Writes exactly this number of digits. */
static void put_fraction(iothub_text *t, uint32_t fraction, unsigned decimals)
{
    char digits[IOTHUB_BINARY64_DECIMALS];

    for (unsigned i = decimals; i-- > 0; fraction /= 10) {
        digits[i] = (char)('0' + fraction % 10);
    }
    iothub_text_put_span(t, mqc_span_of(digits, decimals));
}

void iothub_json_put_double(iothub_json_writer *w, const char *name, double value,
                            unsigned decimals)
{
    char digits[40]; /* room for a sign, 20 digits, the point and 9 digits */
    iothub_fixed fixed;
    iothub_text t;

    if (decimals > IOTHUB_BINARY64_DECIMALS || !iothub_binary64_split(value, decimals, &fixed)) {
        fail(w, IOTHUB_ERR_ARG);
        return;
    }
    iothub_text_init(&t, digits, sizeof digits);
    iothub_text_put(&t, fixed.negative ? "-" : "");
    iothub_text_put_u64(&t, fixed.whole);
    if (decimals > 0) {
        iothub_text_put(&t, ".");
        put_fraction(&t, fixed.fraction, decimals);
    }
    put_value(w, name, iothub_text_span(&t));
}

void iothub_json_put_bool(iothub_json_writer *w, const char *name, bool value)
{
    put_value(w, name, mqc_span_str(value ? "true" : "false"));
}

void iothub_json_put_null(iothub_json_writer *w, const char *name)
{
    put_value(w, name, mqc_span_str("null"));
}

void iothub_json_put_raw(iothub_json_writer *w, const char *name, mqc_span json)
{
    if (iothub_json_check(json, NULL) != IOTHUB_OK) {
        fail(w, IOTHUB_ERR_JSON);
        return;
    }
    put_value(w, name, json);
}

iothub_result iothub_json_writer_finish(iothub_json_writer *w)
{
    if (w->state != IOTHUB_JSON_WRITER_DONE) {
        fail(w, IOTHUB_ERR_STATE);
    }
    if (w->result != IOTHUB_OK) {
        w->len = 0;
    }
    if (w->cap != 0) {
        w->buf[w->len] = '\0';
    }
    return w->result;
}
