/* Uploads a file or a stream as test_upload.py wishes:
 *
 *     uploader [FILE] --name BLOB --block-size N [--state DIR] [--keep-token | --no-token]
 *         [--puts N] [--timeout MS] [--give-up MS]
 *         [--stop-after BLOCKS] [--cancel-after BLOCKS]
 *         [--stream SIZE [--pauses] [--fails-at OFFSET]] [--ca-data] [--tls-1.3]
 *         [--provider FAILURES]
 *
 * --puts lets only the first N writes of the state succeed.
 * --provider requests tokens; the first requests fail, and later ones are answered after a while.
 * --ca-data passes the trusted roots in memory, and --tls-1.3 allows no older version.
 * --stop-after frees the upload before its end, as a program does that is stopped.
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <iothub/upload.h>
#include <platform/file_kv.h>
#include <platform/file_reader.h>

/* A source of unknown size that cannot rewind. */
typedef struct stream {
    plat_reader base;
    uint64_t size;
    uint64_t fails_at;
    uint64_t at; /* the only offset that may be read next */
    bool pauses;
    bool paused;
} stream;

/* A store whose writes fail after a while, as those of a full disk do. */
typedef struct full_kv {
    plat_kv base;
    plat_kv *real;
    unsigned long puts; /* number of writes that still succeed */
} full_kv;

static plat_result full_get(plat_kv *kv, const char *key, void *buf, size_t cap, size_t *len)
{
    plat_kv *real = ((full_kv *)kv)->real;
    return real->ops->get(real, key, buf, cap, len);
}

static plat_result full_put(plat_kv *kv, const char *key, const void *data, size_t len)
{
    full_kv *f = (full_kv *)kv;

    if (f->puts == 0) {
        return PLAT_ERR_FULL;
    }
    f->puts--;
    return f->real->ops->put(f->real, key, data, len);
}

static plat_result full_remove(plat_kv *kv, const char *key)
{
    plat_kv *real = ((full_kv *)kv)->real;
    return real->ops->remove(real, key);
}

static const char *full_detail(const plat_kv *kv)
{
    (void)kv;
    return "no space is left";
}

static const plat_kv_ops full_ops = { full_get, full_put, full_remove, full_detail };

typedef struct app {
    iothub_upload_options o;
    stream stream;
    const char *file;
    const char *state;
    full_kv kv;
    uint64_t stop_after;
    uint64_t cancel_after;
    bool streams;
    bool ca_in_memory;
    char ca[16384]; /* text of the roots, with --ca-data */
    iothub_tls tls;
    unsigned long token_failures; /* requests of a token that still fail */
    bool wants_token;
} app;

static void on_token_request(iothub_upload *u, void *user)
{
    app *a = user;

    if (a->token_failures == 0) {
        a->wants_token = true;
        return;
    }
    a->token_failures--;
    iothub_upload_token_failed(u, "not now");
}

static void provide_token(app *a, iothub_upload *u)
{
    if (a->wants_token) {
        a->wants_token = false;
        (void)iothub_upload_provide_token(
            u, "SharedAccessSignature sr=localhost%2Fdevices%2Fdevice1&sig=c2VjcmV0&se=4102444800",
            NULL);
    }
}

static plat_result describe(plat_reader *r, plat_reader_info *info)
{
    (void)r;
    *info = (plat_reader_info){ .size = PLAT_SIZE_UNKNOWN };
    return PLAT_OK;
}

static plat_result read_stream(plat_reader *r, uint64_t offset, void *buf, size_t cap, size_t *len)
{
    stream *s = (stream *)r;

    if (offset != s->at || offset >= s->fails_at) {
        return PLAT_ERR_IO;
    }
    if (s->pauses && !s->paused) {
        s->paused = true;
        return PLAT_WOULD_BLOCK;
    }
    s->paused = false;
    const uint64_t left = s->size - offset;
    *len = left < cap ? (size_t)left : cap;
    if (s->pauses && *len > 700) {
        *len = 700;
    }
    memset(buf, 'x', *len);
    s->at += *len;
    return PLAT_OK;
}

static const char *stream_detail(const plat_reader *r)
{
    (void)r;
    return "the stream has failed";
}

static const plat_reader_ops stream_ops = { describe, read_stream, stream_detail };

static bool takes_value(app *a, const char *name, const char *value)
{
    if (strcmp(name, "--name") == 0) {
        a->o.blob_name = value;
    } else if (strcmp(name, "--block-size") == 0) {
        a->o.block_size = (uint32_t)strtoul(value, NULL, 10);
    } else if (strcmp(name, "--state") == 0) {
        a->state = value;
    } else if (strcmp(name, "--puts") == 0) {
        a->kv.puts = strtoul(value, NULL, 10);
    } else if (strcmp(name, "--timeout") == 0) {
        a->o.request_timeout_ms = (uint32_t)strtoul(value, NULL, 10);
    } else if (strcmp(name, "--provider") == 0) {
        a->token_failures = strtoul(value, NULL, 10);
        a->o.connection_string = "HostName=localhost;DeviceId=device1";
        a->o.request_token = on_token_request;
        a->o.user = a;
    } else if (strcmp(name, "--give-up") == 0) {
        a->o.give_up_ms = (uint32_t)strtoul(value, NULL, 10);
    } else if (strcmp(name, "--stop-after") == 0) {
        a->stop_after = strtoull(value, NULL, 10);
    } else if (strcmp(name, "--cancel-after") == 0) {
        a->cancel_after = strtoull(value, NULL, 10);
    } else if (strcmp(name, "--stream") == 0) {
        a->streams = true;
        a->stream.size = strtoull(value, NULL, 10);
    } else if (strcmp(name, "--fails-at") == 0) {
        a->stream.fails_at = strtoull(value, NULL, 10);
    } else {
        return false;
    }
    return true;
}

static void parse(app *a, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (i + 1 < argc && takes_value(a, argv[i], argv[i + 1])) {
            i++;
        } else if (strcmp(argv[i], "--keep-token") == 0) {
            a->o.keep_token = true;
        } else if (strcmp(argv[i], "--pauses") == 0) {
            a->stream.pauses = true;
        } else if (strcmp(argv[i], "--ca-data") == 0) {
            a->ca_in_memory = true;
        } else if (strcmp(argv[i], "--tls-1.3") == 0) {
            a->tls.min_version = PLAT_TLS_1_3;
        } else if (argv[i][0] != '-') {
            a->file = argv[i];
        }
    }
}

static bool read_roots(app *a)
{
    FILE *f = fopen(a->o.ca_file, "r");

    if (f == NULL) {
        return false;
    }
    const size_t len = fread(a->ca, 1, sizeof a->ca - 1, f);
    (void)fclose(f);
    a->tls.ca_data = a->ca;
    a->o.ca_file = NULL;
    return len > 0;
}

static int drive(app *a)
{
    iothub_error error;
    iothub_upload_info info;
    iothub_upload *u = iothub_upload_start(&a->o, &error);

    if (u == NULL) {
        fprintf(stderr, "%s\n", error.text);
        return EXIT_FAILURE;
    }
    if (a->cancel_after == 0) {
        iothub_upload_cancel(u);
    }
    do {
        provide_token(a, u);
        iothub_upload_get_info(u, &info);
        if (info.sent >= a->cancel_after * a->o.block_size) {
            iothub_upload_cancel(u);
        }
        if (info.sent >= a->stop_after * a->o.block_size) {
            break;
        }
    } while (iothub_upload_wait(u, 100) < IOTHUB_UPLOAD_SUCCEEDED);
    iothub_upload_get_info(u, &info);
    if (info.state != IOTHUB_UPLOAD_SUCCEEDED) {
        fprintf(stderr, "%s\n", info.text);
    }
    iothub_upload_free(u);
    return info.state == IOTHUB_UPLOAD_SUCCEEDED ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    char detail[PLAT_READER_DETAIL_SIZE];
    static app a;
    a = (app){ .stop_after = UINT32_MAX, .cancel_after = UINT32_MAX };

    a.kv = (full_kv){ .base.ops = &full_ops, .puts = ULONG_MAX };

    iothub_upload_options_init(&a.o);
    a.o.connection_string = getenv("IOTHUB_DEVICE_CONNECTION_STRING");
    a.o.ca_file = getenv("IOTHUB_CA_FILE");
    a.o.port = (uint16_t)atoi(getenv("IOTHUB_REST_PORT"));
    a.o.platform = plat_posix();
    a.o.retry_min_ms = 10;
    a.o.retry_max_ms = 100;
    a.stream = (stream){ .base.ops = &stream_ops, .fails_at = UINT64_MAX };
    a.o.tls = &a.tls;
    parse(&a, argc, argv);
    if (a.ca_in_memory && !read_roots(&a)) {
        return EXIT_FAILURE;
    }
    if (a.state != NULL) {
        char why[PLAT_KV_DETAIL_SIZE];
        a.o.state_key = "upload";
        if (plat_file_kv_open(a.state, &a.kv.real, why) != PLAT_OK) {
            return EXIT_FAILURE;
        }
        a.o.state = &a.kv.base;
    }
    a.o.reader = &a.stream.base;
    if (!a.streams && plat_file_reader_open(a.file, &a.o.reader, detail) != PLAT_OK) {
        return EXIT_FAILURE;
    }
    const int status = drive(&a);
    plat_file_kv_close(a.kv.real);
    if (!a.streams) {
        plat_file_reader_close(a.o.reader);
    }
    return status;
}
