/* Tests a WebSocket with arbitrary bytes of a server: the answer to the upgrade, and frames. What
 * is received, what is answered and how it ends must not depend on how the bytes are split. The key
 * of the upgrade is the same each time, so that an answer in the corpus can fit it. */

#include "fuzz.h"
#include "platform/platform.h"
#include "platform/websocket.h"
#include "scripted_stream.h"

/* Sec-WebSocket-Accept for a key of 16 bytes 'k'. */
#define ACCEPT "fWqaG1+MrNNJFCD8bf/FloL+yTY="

static const char good_answer[] = "HTTP/1.1 101 x\r\n"
                                  "Upgrade: websocket\r\n"
                                  "Connection: Upgrade\r\n"
                                  "Sec-WebSocket-Accept: " ACCEPT "\r\n"
                                  "Sec-WebSocket-Protocol: mqtt\r\n\r\n";

typedef struct record {
    uint64_t content; /* a hash */
    uint64_t sent;    /* a hash of the frames that the client has sent, unmasked */
    size_t content_len;
    size_t frames;
    plat_result end;
    char detail[256];
} record;

typedef struct world {
    scripted_stream lower;
    plat_stream *s;
    plat_stage stage;
    size_t buffer; /* bytes that each recv has room for */
    record record;
} world;

static uint64_t hash(uint64_t h, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        h = (h ^ bytes[i]) * UINT64_C(1099511628211);
    }
    return h;
}

static plat_result same_random(const plat_crypto *self, void *out, size_t len)
{
    (void)self;
    memset(out, 'k', len);
    return PLAT_OK;
}

static const plat_crypto *crypto(void)
{
    static plat_crypto c;
    c = *plat_posix()->crypto;
    c.random = same_random;
    return &c;
}

/* Checks that the client has sent whole, final, masked frames only, and takes them. */
static void take_sent(world *w)
{
    size_t len;
    const uint8_t *at = scripted_sent(&w->lower, &len);
    size_t left = len;
    while (left > 0) {
        FUZZ_CHECK(left >= 6 && (at[0] & 0xf0u) == 0x80 && (at[1] & 0x80u) != 0);
        const size_t content = at[1] & 0x7fu;
        FUZZ_CHECK(content <= 125 && left >= 6 + content);
        FUZZ_CHECK((at[0] & 0x0fu) == 0x8 || (at[0] & 0x0fu) == 0xa);
        w->record.sent = hash(w->record.sent, at, 1);
        for (size_t i = 0; i < content; i++) {
            const uint8_t byte = at[6 + i] ^ at[2 + i % 4];
            w->record.sent = hash(w->record.sent, &byte, 1);
        }
        w->record.frames++;
        at += 6 + content;
        left -= 6 + content;
    }
    scripted_drain(&w->lower, len);
}

static void finish(world *w, plat_result r)
{
    w->record.end = r;
    snprintf(w->record.detail, sizeof w->record.detail, "%s", w->s->ops->detail(w->s));
    FUZZ_CHECK((w->record.detail[0] != '\0') == (r != PLAT_WOULD_BLOCK && r != PLAT_EOF));
    for (const char *c = w->record.detail; *c != '\0'; c++) {
        FUZZ_CHECK(*c >= ' ' && *c <= '~');
    }
}

/* Receives all that is available. Returns false when the stream has ended. */
static bool receive(world *w)
{
    for (;;) {
        uint8_t buf[64];
        size_t got;
        plat_poll p;
        plat_result r = w->s->ops->recv(w->s, buf, w->buffer, &got);
        if (r == PLAT_OK) {
            FUZZ_CHECK(got > 0 && got <= w->buffer);
            w->record.content = hash(w->record.content, buf, got);
            w->record.content_len += got;
            continue;
        }
        FUZZ_CHECK(got == 0);
        if (r != PLAT_WOULD_BLOCK) {
            finish(w, r);
            return false;
        }
        w->s->ops->poll(w->s, false, 1, &p);
        if (!p.ready_now) {
            return true;
        }
    }
}

static bool advance(world *w)
{
    plat_result r = PLAT_OK;
    if (w->stage != PLAT_STAGE_OPEN) {
        r = w->s->ops->progress(w->s, 0, &w->stage);
        if (r == PLAT_WOULD_BLOCK) {
            return true;
        }
        if (r != PLAT_OK) {
            finish(w, r);
            return false;
        }
    }
    return receive(w);
}

static void begin(world *w)
{
    static const plat_websocket_config config = { .path = "/mqtt", .subprotocol = "mqtt" };
    size_t len;
    memset(w, 0, sizeof *w);
    scripted_init(&w->lower);
    FUZZ_CHECK(plat_wslay()->stream(plat_wslay(), crypto(), &w->lower.base, &config, &w->s) ==
               PLAT_OK);
    FUZZ_CHECK(w->s->ops->open(w->s, "hub.example", 443, 0) == PLAT_OK);
    FUZZ_CHECK(w->s->ops->progress(w->s, 0, &w->stage) == PLAT_WOULD_BLOCK);
    (void)scripted_sent(&w->lower, &len);
    scripted_drain(&w->lower, len);
}

/* Feeds the bytes in pieces: their sizes come from `cuts`, then from `piece`. */
static record run(const fuzz_input *head, fuzz_input bytes, fuzz_input cuts, size_t piece,
                  size_t buffer)
{
    world w;
    begin(&w);
    w.buffer = buffer;
    if (head != NULL) {
        scripted_feed(&w.lower, head->ptr, head->len);
    }
    bool goes_on = true;
    while (goes_on && bytes.len > 0) {
        size_t n = cuts.len > 0 ? 1u + fuzz_byte(&cuts) % 64u : piece;
        n = n < bytes.len ? n : bytes.len;
        scripted_feed(&w.lower, bytes.ptr, n);
        bytes.ptr += n;
        bytes.len -= n;
        goes_on = advance(&w);
        FUZZ_CHECK(head == NULL || w.stage == PLAT_STAGE_OPEN); /* the good answer is good */
    }
    if (goes_on) {
        w.lower.recv_then = PLAT_EOF;
        goes_on = advance(&w);
        FUZZ_CHECK(!goes_on);
    }
    take_sent(&w);
    const record result = w.record;
    w.s->ops->deinit(w.s);
    scripted_free(&w.lower);
    return result;
}

static void same(const record *a, const record *b)
{
    FUZZ_CHECK(a->content == b->content && a->content_len == b->content_len);
    FUZZ_CHECK(a->sent == b->sent && a->frames == b->frames);
    FUZZ_CHECK(a->end == b->end);
    FUZZ_CHECK(strcmp(a->detail, b->detail) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = { data, size };
    const bool is_open = fuzz_byte(&in) % 2 == 1;
    const fuzz_input head = { (const uint8_t *)good_answer, sizeof good_answer - 1 };
    const fuzz_input none = { 0 };
    const fuzz_input *answer = is_open ? &head : NULL;

    const record whole = run(answer, in, none, SIZE_MAX, 64);
    const record single = run(answer, in, none, 1, 64);
    const record narrow = run(answer, in, none, 1, 1);
    const record odd = run(answer, in, in, 7, 5);
    same(&whole, &single);
    same(&whole, &odd);
    same(&whole, &narrow);
    return 0;
}
