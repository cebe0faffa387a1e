#ifndef PLAT_PLATFORM_H
#define PLAT_PLATFORM_H

/**
 * @file
 * What the layers above need from an operating system and its libraries: three
 * small interfaces, and a fourth for a background thread.  A port fills them in (see
 * platform/README.md); tests put fakes in their place by embedding the interface as
 * the first member.
 */

#include "platform/stream.h"
#include "platform/thread.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plat_clock plat_clock;
struct plat_clock {
    /**
     * Milliseconds from any origin; never goes back.  It goes on while the system is suspended,
     * where there is such a clock (CLOCK_BOOTTIME on Linux): the hub does not wait.
     */
    uint64_t (*monotonic_ms)(const plat_clock *self);
    /** Seconds since 1970-01-01 UTC as the system believes; 0 without such a clock. */
    int64_t (*wall_s)(const plat_clock *self);
};

#define PLAT_SHA256_SIZE 32

typedef struct plat_crypto plat_crypto;
struct plat_crypto {
    plat_result (*hmac_sha256)(const plat_crypto *self, const void *key, size_t key_len,
                               const void *data, size_t len, uint8_t out[PLAT_SHA256_SIZE]);
    /**
     * Standard base64 with padding, strict (RFC 4648 section 4): no white space, no
     * missing padding, no other alphabet.  PLAT_ERR_ENCODING, PLAT_ERR_NO_SPACE.
     */
    plat_result (*base64_decode)(const plat_crypto *self, const char *text, size_t len,
                                 uint8_t *out, size_t cap, size_t *out_len);
    /** One line, not NUL-terminated. */
    plat_result (*base64_encode)(const plat_crypto *self, const void *data, size_t len, char *out,
                                 size_t cap, size_t *out_len);
    /** Cryptographically strong. */
    plat_result (*random)(const plat_crypto *self, void *out, size_t len);
};

typedef enum plat_stream_kind {
    PLAT_STREAM_TLS = 0, /* over TCP; chain and host name always verified */
    PLAT_STREAM_TCP      /* plain; for the generic MQTT client, never for a hub */
} plat_stream_kind;

typedef struct plat_stream_config {
    plat_stream_kind kind;
    /** PEM file with the only roots to trust; NULL: the system's bundle. */
    const char *ca_file;
} plat_stream_config;

#define PLAT_WAIT_MAX 4

typedef struct plat_net plat_net;
struct plat_net {
    /**
     * Make a closed stream in *memory.  Loads the roots on first use and shares
     * them between all streams with the same ca_file.  After PLAT_ERR_TRUST_STORE
     * the detail of *out names the file; nothing else can be done with it.
     */
    plat_result (*stream)(const plat_net *self, plat_stream_storage *memory,
                          const plat_stream_config *config, plat_stream **out);
    /**
     * Sleep until one of polls[0] to polls[count - 1] is ready or timeout_ms is over
     * (-1: no limit).  count is at most PLAT_WAIT_MAX.  The only function here that
     * blocks; only iothub_wait and the runner call it.  It may end early; if the system was
     * suspended, it ends soon after that has resumed.
     */
    void (*wait)(const plat_net *self, const plat_poll *polls, size_t count, int timeout_ms);
};

typedef struct plat_platform {
    const plat_clock *clock;
    const plat_crypto *crypto;
    const plat_net *net;
    const plat_threads *threads; /* for the runner; NULL: none */
} plat_platform;

/** POSIX sockets and clock, wolfSSL.  Lives as long as the process. */
const plat_platform *plat_posix(void);

#ifdef __cplusplus
}
#endif
#endif
