/* Tests what strangers send to the TLS front of the emulator: the request for WebSocket, the
 * CONNECT, the packets after it, and the certificates. The first byte chooses. */

#include "front/client_faults.h"
#include "front/connect_packet.h"
#include "front/envelope.h"
#include "front/packet_watch.h"
#include "front/upgrade_request.h"
#include "fuzz.h"
#include "registry/client_chain.h"

#define SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void same_field(const uint8_t *a, hub_field fa, const char *b, hub_field fb)
{
    FUZZ_CHECK(fa.len == fb.len && memcmp(a + fa.at, b + fb.at, fa.len) == 0);
}

/* What is forwarded has the same fields, except for the password. */
static void connect_packet(const uint8_t *data, size_t len)
{
    hub_connect_packet c;
    hub_connect_packet again;
    hub_text out = { 0 };

    if (hub_connect_read(&c, data, len) != HUB_CONNECT_WHOLE) {
        return;
    }
    FUZZ_CHECK(c.packet_len <= len && c.packet_len <= HUB_CONNECT_MAX);
    if (!hub_connect_forward(&c, data, "dps ", "pass", 4, &out)) {
        FUZZ_CHECK(out.len == 0);
        return;
    }
    FUZZ_CHECK(hub_connect_read(&again, (const uint8_t *)out.p, out.len) == HUB_CONNECT_WHOLE);
    FUZZ_CHECK(again.packet_len == out.len && again.has_password && again.password.len == 4);
    FUZZ_CHECK(again.client_id.len == c.client_id.len + 4);
    same_field(data, c.middle, out.p, again.middle);
    same_field(data, c.user_name, out.p, again.user_name);
    hub_text_free(&out);
}

/* The same packets are found, whatever the cuts between reads. */
static void packets(const uint8_t *data, size_t len)
{
    hub_packet_watch whole = { 0 };
    hub_packet_watch single = { 0 };
    size_t at = 0;

    while (at < len) {
        hub_packet seen;
        hub_packet last = { 0 };
        size_t n = hub_packet_watch_next(&whole, data + at, len - at, &seen);
        FUZZ_CHECK(n > 0 && n <= len - at);
        for (size_t i = 0; i < n; i++) {
            FUZZ_CHECK(last.kind == HUB_PACKET_NONE);
            FUZZ_CHECK(hub_packet_watch_next(&single, data + at + i, 1, &last) == 1);
        }
        FUZZ_CHECK(last.kind == seen.kind && last.id == seen.id);
        at += n;
    }
    FUZZ_CHECK(whole.stage == single.stage && whole.left == single.left);
}

static void certificates(const uint8_t *data, size_t len)
{
    hub_client_chain chain;
    hub_certificate *one;
    hub_fault fault;

    if (hub_client_chain_read(&chain, (const char *)data, len, &fault) == HUB_OK) {
        FUZZ_CHECK(chain.count <= HUB_CHAIN_MAX);
        (void)hub_client_chain_check_path(&chain, chain.items, chain.count, 1800000000, NULL,
                                          &fault);
        hub_client_chain_free(&chain);
    }
    if (hub_certificate_from_der(&one, data, len, &fault) == HUB_OK) {
        FUZZ_CHECK(hub_certificate_has_thumbprint(one, one->thumbprint));
        FUZZ_CHECK(hub_certificate_has_thumbprint(one, one->thumbprint256));
        (void)hub_certificate_check_dates(one, 1800000000, &fault);
        hub_certificate_free(one);
    }
}

/* The verdict does not depend on how many of the bytes have arrived, once there are enough. */
static void upgrade(const char *text, size_t len)
{
    hub_upgrade_request whole;
    hub_upgrade_request part;
    hub_text answer = { 0 };
    size_t enough = 0;

    const hub_upgrade_kind kind = hub_upgrade_read(&whole, text, len);
    while (enough < len && hub_upgrade_read(&part, text, enough) == HUB_UPGRADE_PART) {
        enough++;
    }
    FUZZ_CHECK(hub_upgrade_read(&part, text, enough) == kind);
    FUZZ_CHECK(part.head_len == whole.head_len && part.status == whole.status);
    if (kind == HUB_UPGRADE_MQTT || kind == HUB_UPGRADE_AMQP) {
        FUZZ_CHECK(enough == whole.head_len && whole.head_len <= HUB_UPGRADE_HEAD_MAX);
        FUZZ_CHECK(strlen(whole.key) == HUB_UPGRADE_KEY_LEN);
        FUZZ_CHECK(strlen(whole.protocol) <= HUB_UPGRADE_PROTOCOL_MAX);
        hub_upgrade_accept(&whole, &answer);
    } else if (kind == HUB_UPGRADE_WRONG) {
        FUZZ_CHECK(whole.status >= 400 && whole.why != NULL);
        hub_upgrade_refuse(whole.status, whole.why, &answer);
    }
    hub_text_free(&answer);
}

/* Whatever is late, all bytes arrive, and those of packets other than PUBACK in their order. */
static void faults(const uint8_t *data, size_t len)
{
    const hub_packet_watch position = { 0 };
    const hub_note delay = { .kind = HUB_NOTE_DELAY_PUBACKS, .value = 3 };
    hub_client_faults *f = hub_client_faults_new(&position);
    hub_text out = { 0 };
    int64_t now_ms = 0;

    hub_client_faults_order(f, &delay);
    for (size_t at = 0; at < len; now_ms++) {
        const size_t n = len - at < (size_t)(data[at] % 7) + 1 ? len - at : data[at] % 7 + 1u;
        hub_client_faults_take(f, data + at, n, now_ms);
        hub_client_faults_release(f, now_ms, &out);
        at += n;
        FUZZ_CHECK(out.len + hub_client_faults_held(f) == at);
    }
    hub_client_faults_free(f);
    hub_text_free(&out);
}

static void envelope(const char *text)
{
    hub_envelope e;

    if (hub_envelope_read(&e, text, SECRET)) {
        FUZZ_CHECK(e.peer >= text && e.peer + e.peer_len <= text + strlen(text));
        FUZZ_CHECK(e.chain >= text && e.chain + e.chain_len <= text + strlen(text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char *text = fuzz_text((fuzz_input){ data + 1, size - 1 });
    const uint8_t *bytes = (const uint8_t *)text;

    switch (data[0] % 6) {
    case 0: connect_packet(bytes, size - 1); break;
    case 1: packets(bytes, size - 1); break;
    case 2: certificates(bytes, size - 1); break;
    case 3: envelope(text); break;
    case 4: upgrade(text, size - 1); break;
    default: faults(bytes, size - 1); break;
    }
    free(text);
    return 0;
}
