#ifndef IOTHUB_UPLOAD_H
#define IOTHUB_UPLOAD_H

/**
 * @file
 * Uploads files of any size into the storage account of the hub, over HTTPS. Link iothub::upload.
 *
 * @code
 * plat_reader *file;
 * plat_file_reader_open("/var/log/app.log", &file, detail);
 * iothub_upload_options o;
 * iothub_upload_options_init(&o);
 * o.connection_string = getenv("IOTHUB_DEVICE_CONNECTION_STRING");
 * o.platform = plat_posix();
 * o.blob_name = "logs/app.log";
 * o.reader = file;
 * iothub_upload *u = iothub_upload_start(&o, &error);
 * while (iothub_upload_wait(u, 1000) < IOTHUB_UPLOAD_SUCCEEDED) {
 * }
 * iothub_upload_free(u);
 * plat_file_reader_close(file);
 * @endcode
 *
 * An upload has three steps. The device asks the hub for a place in the storage account and a
 * storage token, sends the bytes to the storage, and notifies the hub of success or failure. An
 * upload that the hub has accepted is active until this notification. A device has at most ten
 * active uploads; the hub refuses another one with 403006 (IOTHUB_ERR_NO_SPACE). So the upload
 * sends the notification in every case: also after a failure, a cancellation, and a restart of the
 * program if there is a state (see iothub_upload_options.state). It repeats the notification until
 * the hub has accepted or refused it. A refusal of the credential (401 or 403) does not end the
 * repetitions, because the hub has accepted it before.
 *
 * A notification whose answer is lost is sent again, always with the same outcome. If the hub then
 * answers that it does not know the upload, it has accepted the first one. Without such a loss, a
 * refused notification of success makes the upload fail with IOTHUB_ERR_REJECTED. There is one gap
 * that no device can close: if the answer with the storage token is lost on its way, the device
 * never learns the name of that upload and cannot end it. The hub then ends it when the storage
 * token expires.
 *
 * A source that is not larger than block_size is sent as one piece (Put Blob), and a larger one in
 * blocks, several at a time, which become the blob only when all of them have arrived (Put Block
 * List). So the storage never shows half a file. A block that fails is sent again after a back-off.
 * If the storage refuses the storage token (403), which happens when it has expired, that upload is
 * reported to the hub as failed and a new one is begun; blocks that have arrived are not sent
 * again, because the storage keeps them for a week. If the storage refuses three storage tokens
 * without having accepted a block, the upload fails with IOTHUB_ERR_AUTH.
 *
 * The device proves to the hub who it is with the key or the token of its connection string, or
 * with iothub_upload_options.credential. The storage receives neither a token nor a certificate of
 * the device. A module cannot upload files, because the hub has no such function
 * (IOTHUB_ERR_UNSUPPORTED).
 *
 * An upload belongs to one thread. It uses the heap.
 *
 * Sources: "Upload files with IoT Hub", REST "Create File Upload Sas Uri" and "Update File Upload
 * Status"; Blob service REST "Put Blob", "Put Block", "Put Block List".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/credential.h"
#include "iothub/options.h"
#include "iothub/result.h"
#include "platform/http.h"
#include "platform/kv.h"
#include "platform/platform.h"
#include "platform/reader.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One upload. */
typedef struct iothub_upload iothub_upload;

/** Most blocks of a blob: a limit of the storage. */
#define IOTHUB_UPLOAD_BLOCKS_MAX 50000u
/** Smallest block_size in bytes. */
#define IOTHUB_UPLOAD_BLOCK_MIN 1024u
/** Largest block_size in bytes: what every version of the storage accepts. */
#define IOTHUB_UPLOAD_BLOCK_MAX (4u * 1024u * 1024u)
/** Most blocks in flight. */
#define IOTHUB_UPLOAD_PARALLEL_MAX 8
/** Longest name of a blob in bytes, with the device id and a slash in front of it. */
#define IOTHUB_UPLOAD_NAME_MAX 1024
/** Longest tag in bytes. */
#define IOTHUB_UPLOAD_TAG_MAX 128

/** State of an upload. */
typedef enum iothub_upload_state {
    IOTHUB_UPLOAD_REQUESTING = 1, /**< The hub is asked for a place and a storage token. */
    IOTHUB_UPLOAD_SENDING,        /**< Bytes are sent to the storage. */
    IOTHUB_UPLOAD_COMMITTING,     /**< The storage is asked to make a blob of the blocks. */
    IOTHUB_UPLOAD_NOTIFYING,      /**< The hub is notified of success or failure. */
    IOTHUB_UPLOAD_SUCCEEDED,      /**< The blob is complete, and the hub was notified. */
    IOTHUB_UPLOAD_FAILED          /**< The upload has failed; iothub_upload_info.result says why. */
} iothub_upload_state;

/** How far an upload is. It does not grow. */
typedef struct iothub_upload_info {
    iothub_upload_state state; /**< State of the upload. */
    /**
     * IOTHUB_UPLOAD_FAILED: the reason. Otherwise: the latest failure, which is being repaired by a
     * repetition, or IOTHUB_OK.
     */
    iothub_result result;
    const char *text; /**< The reason for people, "" with IOTHUB_OK; valid until the next call. */
    uint64_t sent;    /**< Number of bytes that the storage has acknowledged. */
    uint64_t size;    /**< Size of the source, or PLAT_SIZE_UNKNOWN until its end was read. */
    uint32_t repeats; /**< Number of requests that have failed and were, or will be, repeated. */
    uint32_t tokens;  /**< Number of storage tokens that this run has received. */
} iothub_upload_info;

/** Options of an upload. Call iothub_upload_options_init first, which sets the defaults. The texts
 * are copied; everything else is borrowed until the upload is freed. Then the copies of the
 * connection string, the URL of the proxy and the storage token are erased, too. But the library
 * that makes TLS for libcurl does not erase the bytes that it has received, so the answer of the
 * hub with the storage token may stay in freed memory until it is reused. */
typedef struct iothub_upload_options {
    size_t struct_size; /**< Size of this struct, set by iothub_upload_options_init. */

    const char *connection_string; /**< The device, with a key or a token; if credential is set,
                                        with neither. No default. */
    /**
     * How the device proves who it is, as in iothub_options.credentials: a key, a token, or a
     * client certificate whose key is in the process. For a device that the Device Provisioning
     * Service has assigned, connection_string is made of iothub_assignment. The struct is copied;
     * what it points to is borrowed until the upload is freed. A token provider of a client cannot
     * be used, because it belongs to that client; see request_token. NULL (the default):
     * connection_string has the key or the token, or request_token provides one.
     */
    const iothub_credential *credential;
    /**
     * Requests a SAS token for the device from the application, for a program that has no key.
     * connection_string then has neither a key nor a token, and credential is NULL. It is called
     * before a request to the hub if there is no token, or if the token has expired or was refused
     * by the hub. It must not block. The answer is iothub_upload_provide_token or
     * iothub_upload_token_failed, in the callback or later on the thread of the upload. Without an
     * answer within request_timeout_ms the request has failed, and a failed one is repeated with
     * the back-off of the upload. If the hub refuses two tokens in a row, an upload that is not
     * active yet fails with IOTHUB_ERR_AUTH. NULL (the default): none.
     */
    void (*request_token)(iothub_upload *u, void *user);
    const plat_platform *platform; /**< The port to use: plat_posix() on Linux. No default. */
    const char *ca_file; /**< File with the only root certificates to trust. NULL (the default): the
                              system's. */
    /**
     * Trust and versions of TLS, as iothub_options.tls, for the hub and the storage. libcurl, which
     * makes the requests, cannot do all of it; IOTHUB_ERR_UNSUPPORTED: ca_data is not PEM text,
     * ca_data is combined with ca_file, or roots is not 0. The struct is copied, ca_data is
     * borrowed. NULL (the default): ca_file alone decides, and TLS 1.2 and 1.3 are allowed.
     */
    const iothub_tls *tls;
    const char *proxy; /**< As iothub_options.proxy. NULL (the default): none. */
    const char *bind;  /**< As iothub_options.bind. NULL (the default): the system chooses. */
    uint16_t port;     /**< HTTPS port of the hub. Default 443. */

    /**
     * Name of the blob in the folder of the device: UTF-8, segments separated by '/'. The storage
     * sees "{device id}/{blob_name}", at most IOTHUB_UPLOAD_NAME_MAX bytes. Refused are empty
     * segments, the segments "." and "..", backslashes and control characters. No default.
     */
    const char *blob_name;
    const char *content_type; /**< Media type of the blob, printable ASCII, at most 128 bytes. NULL
                                   (the default): application/octet-stream. */

    /**
     * @name Source
     * Either data or reader. If both are NULL, the blob is empty.
     *
     * The size is determined at the start. A file that grows meanwhile is uploaded up to that size;
     * if it shrinks, the upload fails.
     * @{
     */
    const void *data;    /**< The whole content in memory. */
    size_t data_len;     /**< Its size in bytes. */
    plat_reader *reader; /**< A file (platform/file_reader.h) or a stream of the application. */
    /** Version of the content, for a source that has none of its own, or in addition to it: at most
     * IOTHUB_UPLOAD_TAG_MAX printable ASCII characters. NULL (the default): none. */
    const char *tag;
    /** @} */

    /** Size of a block in bytes, IOTHUB_UPLOAD_BLOCK_MIN to IOTHUB_UPLOAD_BLOCK_MAX. Default 4 MiB.
     * A blob has at most IOTHUB_UPLOAD_BLOCKS_MAX blocks. */
    uint32_t block_size;
    /** Number of blocks in flight, 1 to IOTHUB_UPLOAD_PARALLEL_MAX. Default 3. The upload allocates
     * memory for this number of blocks. */
    uint32_t parallel;

    /**
     * Where the upload keeps its state, so that it can be resumed after a restart of the program,
     * and so that its notification is sent in any case. NULL (the default): an upload that is freed
     * before its end is forgotten, and the hub waits for its notification until the storage token
     * has expired.
     *
     * iothub_upload_start looks for the state of an earlier run. If device, blob name, block size,
     * size, version and tag are the same, and the source rewinds, blocks that have arrived are not
     * sent again. Otherwise the earlier upload is reported to the hub as failed, and the upload
     * starts over. The state is removed when the upload has ended. If it cannot be read,
     * iothub_upload_start fails. If it cannot be written, the upload continues, but cannot be
     * resumed.
     */
    plat_kv *state;
    const char *state_key; /**< Name of the value in state; each upload needs its own. */
    /**
     * true: the storage token is stored in the state, so that an upload is resumed under the same
     * token. It is a secret: anyone who has it can write this blob for about an hour.
     * plat_file_kv_open keeps it in a file with mode 0600. false (the default): after a restart the
     * upload reports the earlier one as failed and requests a new token.
     */
    bool keep_token;

    uint32_t request_timeout_ms; /**< How long a request to the hub may take, and how long a request
                                      to the storage may make no progress. Default 60 s. */
    /** The upload fails if nothing has succeeded for so long, in milliseconds. Default 10 min; 0:
     * never. It does not limit the notification. */
    uint32_t give_up_ms;
    /** First limit of the back-off, in milliseconds. Default 1 s. Each wait is random, up to a
     * limit that doubles with each failure of the same request. */
    uint32_t retry_min_ms;
    uint32_t retry_max_ms; /**< Largest limit of the back-off, in milliseconds. Default 60 s. */

    /** Makes the objects that make the requests. NULL (the default): plat_curl_http_new. */
    plat_result (*make_http)(plat_http **out);
    /** State, bytes or the latest failure have changed. It is called inside iothub_upload_process,
     * and only iothub_upload_cancel may be called in it. NULL (the default): none. */
    void (*progress)(iothub_upload *u, const iothub_upload_info *info, void *user);
    void *user; /**< Passed to progress and request_token. */
} iothub_upload_options;

/**
 * iothub_upload_options_init for a struct of any size; see "Sizes of structs" in iothub/client.h.
 *
 * @param[out] o       as there
 * @param struct_size  sizeof *o of the application
 */
void iothub_upload_options_init_sized(iothub_upload_options *o, size_t struct_size);

/**
 * Sets *o to the defaults.
 *
 * @param[out] o  the options; NULL does nothing
 */
static inline void iothub_upload_options_init(iothub_upload_options *o)
{
    iothub_upload_options_init_sized(o, sizeof *o);
}

/**
 * Makes an upload. Nothing is sent before the first iothub_upload_process.
 *
 * @param o           what to upload
 * @param[out] error  the reason for a failure; may be NULL
 * @return the upload, to be freed with iothub_upload_free; NULL after a failure, with one of these
 *         codes in error: IOTHUB_ERR_ARG (an option), IOTHUB_ERR_TOO_BIG (too many blocks; the text
 *         gives the block size that fits), IOTHUB_ERR_UNSUPPORTED (a module, or a credential or a
 * part of tls that cannot be used), IOTHUB_ERR_STORE (the source cannot be described, or the state
 *         cannot be read), IOTHUB_ERR_CRYPTO (no random numbers), IOTHUB_ERR_MEMORY, or a code of
 *         iothub_connection_string_parse
 */
iothub_upload *iothub_upload_start(const iothub_upload_options *o, iothub_error *error);

/**
 * Does all work that is due, and returns the state. Never waits for the network.
 *
 * @param u  the upload; NULL: the result is IOTHUB_UPLOAD_FAILED
 * @return the state
 */
iothub_upload_state iothub_upload_process(iothub_upload *u);

/**
 * Sleeps until there is work to do, then calls iothub_upload_process.
 *
 * @param u       the upload; NULL: the result is IOTHUB_UPLOAD_FAILED
 * @param max_ms  longest sleep in milliseconds
 * @return the state
 */
iothub_upload_state iothub_upload_wait(iothub_upload *u, uint32_t max_ms);

/** Number of slots in iothub_upload_poll. */
#define IOTHUB_UPLOAD_POLL_FDS ((IOTHUB_UPLOAD_PARALLEL_MAX + 1) * PLAT_HTTP_POLLS)

/** What an application waits for between two calls of iothub_upload_process. It does not grow. */
typedef struct iothub_upload_poll {
    plat_poll fds[IOTHUB_UPLOAD_POLL_FDS]; /**< Descriptors; a slot whose fd is -1 is empty. */
    int timeout_ms; /**< Call iothub_upload_process after this many milliseconds at the latest. */
} iothub_upload_poll;

/**
 * Reports what to wait for before the next iothub_upload_process. Never blocks.
 *
 * A descriptor may be closed inside iothub_upload_process, without a further call that shows it. A
 * loop that must stop watching a descriptor before it is closed, such as libuv, stops watching all
 * of them before each call of iothub_upload_process and starts again after it.
 *
 * @param u         the upload; NULL: there is nothing to wait for
 * @param[out] out  the answer
 */
void iothub_upload_poll_info(iothub_upload *u, iothub_upload_poll *out);

/**
 * Reports how far an upload is.
 *
 * @param u         the upload; NULL: a failure
 * @param[out] out  the description
 */
void iothub_upload_get_info(const iothub_upload *u, iothub_upload_info *out);

/**
 * Ends an upload early: the next iothub_upload_process stops sending and notifies the hub of the
 * failure; then the upload fails with IOTHUB_ERR_CANCELLED. If the storage has the whole blob
 * already, the upload succeeds all the same.
 *
 * @param u  the upload; may be NULL
 */
void iothub_upload_cancel(iothub_upload *u);

/**
 * Provides the SAS token that iothub_upload_options.request_token has requested. The token is
 * copied, and erased when the upload is freed or needs another one. The next iothub_upload_process
 * continues with it, so do not sleep before that.
 *
 * @param u                        the upload; NULL: IOTHUB_ERR_ARG
 * @param shared_access_signature  the token, from "SharedAccessSignature" on, shorter than
 *                                 IOTHUB_SAS_TOKEN_SIZE
 * @param[out] error               the reason for a failure; may be NULL
 * @return IOTHUB_OK; IOTHUB_ERR_ARG (there is no token), IOTHUB_ERR_STATE (the upload has no
 *         request_token), IOTHUB_ERR_TOO_BIG (the token is too long), IOTHUB_ERR_TOKEN_EXPIRED (the
 *         token has expired; the upload waits for another one), or a code of iothub_sas_parse
 */
iothub_result iothub_upload_provide_token(iothub_upload *u, const char *shared_access_signature,
                                          iothub_error *error);

/**
 * Answers request_token without a token. The upload requests one again after its back-off.
 *
 * @param u       the upload; may be NULL
 * @param reason  why there is none, for people and without secrets; copied, and may be NULL
 */
void iothub_upload_token_failed(iothub_upload *u, const char *reason);

/**
 * Frees an upload. One that has not ended stays in its state, from which a later one with the same
 * state_key continues; see iothub_upload_options.state.
 *
 * @param u  the upload; may be NULL
 */
void iothub_upload_free(iothub_upload *u);

#ifdef __cplusplus
}
#endif
#endif
