#include "amqp/amqp_refusal.h"

#include <string.h>

/* Sections of the OASIS standard: amqp-core-transport-v1.0, 2.2 (headers), 2.3 (frames), 2.7
 * (open, close), and amqp-core-security-v1.0, 5.3 (SASL). */
#define HEADER_LEN    8
#define FRAME_MAX     4096 /* room for a sasl-init frame with names and a token */
#define FRAME_AMQP    0
#define FRAME_SASL    1
#define DESCRIBED     "\x00\x53"
#define LIST8         0xC0
#define SYMBOL8       0xA3
#define STRING8       0xA1
#define ARRAY8        0xE0
#define SMALL_ULONG_N 2

#define WHY                                                                      \
    "hub_emulator does not speak AMQP: send messages to devices, and read what " \
    "devices send, by the REST paths below /emulator (see its README)"

static const uint8_t sasl_header[HEADER_LEN] = { 'A', 'M', 'Q', 'P', 3, 1, 0, 0 };
static const uint8_t amqp_header[HEADER_LEN] = { 'A', 'M', 'Q', 'P', 0, 1, 0, 0 };

/* --- what is sent ------------------------------------------------------ */

static void add_byte(hub_text *t, unsigned value)
{
    const uint8_t byte = (uint8_t)value;
    hub_text_add(t, &byte, 1);
}

/* Adds a symbol or string of up to 255 bytes. */
static void add_text(hub_text *t, unsigned type, const char *text)
{
    add_byte(t, type);
    add_byte(t, (unsigned)strlen(text));
    hub_text_str(t, text);
}

/* Adds a list with a descriptor. Frees the text of the fields. */
static void add_described(hub_text *t, unsigned descriptor, unsigned count, hub_text *fields)
{
    hub_text_add(t, DESCRIBED, SMALL_ULONG_N);
    add_byte(t, descriptor);
    add_byte(t, LIST8);
    add_byte(t, (unsigned)fields->len + 1);
    add_byte(t, count);
    hub_text_add(t, fields->p, fields->len);
    hub_text_free(fields);
}

/* Adds a frame. Frees the text of the body. */
static void add_frame(hub_text *out, unsigned type, hub_text *body)
{
    const size_t len = 8 + body->len;

    for (int shift = 24; shift >= 0; shift -= 8) {
        add_byte(out, (unsigned)(len >> shift & 0xFF));
    }
    add_byte(out, 2); /* the body begins after two 32-bit words */
    add_byte(out, type);
    hub_text_add(out, "\0\0", 2); /* channel 0 */
    hub_text_add(out, body->p, body->len);
    hub_text_free(body);
}

static void add_mechanisms(hub_text *out)
{
    static const char *const names[] = { "ANONYMOUS", "PLAIN", "EXTERNAL", "MSSBCBS" };
    const size_t count = sizeof names / sizeof names[0];
    hub_text array = { 0 };
    hub_text fields = { 0 };
    hub_text body = { 0 };

    add_byte(&array, (unsigned)count);
    add_byte(&array, SYMBOL8);
    for (size_t i = 0; i < count; i++) {
        add_byte(&array, (unsigned)strlen(names[i]));
        hub_text_str(&array, names[i]);
    }
    add_byte(&fields, ARRAY8);
    add_byte(&fields, (unsigned)array.len);
    hub_text_add(&fields, array.p, array.len);
    hub_text_free(&array);
    add_described(&body, 0x40, 1, &fields);
    add_frame(out, FRAME_SASL, &body);
}

/* Accepts any credentials, since the client is refused after the login. */
static void add_outcome(hub_text *out)
{
    hub_text fields = { 0 };
    hub_text body = { 0 };

    hub_text_add(&fields, "\x50\x00", 2); /* result code 0: the login succeeded */
    add_described(&body, 0x44, 1, &fields);
    add_frame(out, FRAME_SASL, &body);
}

static void add_open(hub_text *out)
{
    hub_text fields = { 0 };
    hub_text body = { 0 };

    add_text(&fields, STRING8, "hub_emulator");
    add_described(&body, 0x10, 1, &fields);
    add_frame(out, FRAME_AMQP, &body);
}

static void add_close(hub_text *out)
{
    hub_text fields = { 0 };
    hub_text error = { 0 };
    hub_text body = { 0 };

    add_text(&fields, SYMBOL8, "amqp:not-implemented");
    add_text(&fields, STRING8, WHY);
    add_described(&error, 0x1D, 2, &fields);
    add_described(&body, 0x18, 1, &error);
    add_frame(out, FRAME_AMQP, &body);
}

/* --- what is received -------------------------------------------------- */

static void refuse(amqp_refusal *r, hub_text *out)
{
    hub_text_add(out, amqp_header, sizeof amqp_header);
    add_open(out);
    add_close(out);
    r->state = AMQP_REFUSAL_CLOSING;
}

/* Returns whether the received bytes are the beginning of a header that is allowed now. */
static bool may_be_header(const amqp_refusal *r)
{
    return memcmp(r->head, amqp_header, r->have) == 0 ||
           (r->state == AMQP_REFUSAL_HEADER && memcmp(r->head, sasl_header, r->have) == 0);
}

static void take_header(amqp_refusal *r, hub_text *out)
{
    /* Section 2.2: send a supported protocol header, then close the connection. */
    if (!may_be_header(r)) {
        hub_text_add(out, sasl_header, sizeof sasl_header);
        r->state = AMQP_REFUSAL_WRONG;
    } else if (r->have == HEADER_LEN && memcmp(r->head, amqp_header, HEADER_LEN) == 0) {
        refuse(r, out);
    } else if (r->have == HEADER_LEN) {
        hub_text_add(out, sasl_header, sizeof sasl_header);
        add_mechanisms(out);
        r->state = AMQP_REFUSAL_SASL;
    }
}

/* Handles a frame of the login, whatever its mechanism and identity are. */
static void take_frame(amqp_refusal *r)
{
    const size_t len =
        (size_t)r->head[0] << 24 | (size_t)r->head[1] << 16 | (size_t)r->head[2] << 8 | r->head[3];

    if (len < HEADER_LEN || len > FRAME_MAX || r->head[5] != FRAME_SASL) {
        r->state = AMQP_REFUSAL_WRONG;
        return;
    }
    r->skip = len - HEADER_LEN;
    r->state = AMQP_REFUSAL_SECOND;
}

static void take_head(amqp_refusal *r, hub_text *out)
{
    if (r->state != AMQP_REFUSAL_SASL) {
        take_header(r, out);
    } else if (r->have == HEADER_LEN) {
        take_frame(r);
        if (r->state == AMQP_REFUSAL_SECOND) {
            add_outcome(out);
        }
    }
    r->have = r->have == HEADER_LEN ? 0 : r->have;
}

void amqp_refusal_take(amqp_refusal *r, const void *bytes, size_t len, hub_text *out)
{
    const uint8_t *p = bytes;

    while (len > 0 && r->state != AMQP_REFUSAL_CLOSING && r->state != AMQP_REFUSAL_WRONG) {
        size_t wanted = r->skip > 0 ? r->skip : HEADER_LEN - r->have;
        size_t n = len < wanted ? len : wanted;
        if (r->skip > 0) {
            r->skip -= n;
        } else {
            memcpy(r->head + r->have, p, n);
            r->have += n;
            take_head(r, out);
        }
        p += n;
        len -= n;
    }
}
