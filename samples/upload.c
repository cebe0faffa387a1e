/*
 * File upload: sends a file into the storage account of the hub, and continues after an
 * interruption.
 *
 *     export IOTHUB_DEVICE_CONNECTION_STRING="HostName=...;DeviceId=...;SharedAccessKey=..."
 *     upload report.pdf --name reports/today.pdf --state ~/.upload
 */

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cli/args.h>
#include <cli/number.h>
#include <cli/output.h>
#include <iothub/upload.h>
#include <platform/file_kv.h>
#include <platform/file_reader.h>

typedef struct app {
    const char *file;
    const char *state; /* --state: folder for what is needed to continue; NULL: none */
    iothub_upload_options options;
    int percent;             /* what was shown last; -1: nothing */
    plat_identity *identity; /* NULL: the connection string has a key */
} app;

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    app *a = state->input;

    switch (key) {
    case 'n': a->options.blob_name = arg; return 0;
    case 's': a->state = arg; return 0;
    case 't': a->options.content_type = arg; return 0;
    case 'b':
        a->options.block_size = (uint32_t)cli_number_option(
            state, "block-size", arg, IOTHUB_UPLOAD_BLOCK_MIN, IOTHUB_UPLOAD_BLOCK_MAX);
        return 0;
    case ARGP_KEY_ARG:
        if (a->file != NULL) {
            cli_usage(state, "Too many arguments: there is one FILE");
        }
        a->file = arg;
        return 0;
    case ARGP_KEY_END:
        if (a->file == NULL) {
            cli_usage(state, "FILE is missing");
        }
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* A bar on a terminal; otherwise a line for each tenth. */
static void show(app *a, int percent)
{
    enum { WIDTH = 50 };

    if (isatty(STDOUT_FILENO)) {
        const int done = percent * WIDTH / 100;
        printf("\r[%.*s%*s] %3d %%", done, "##################################################",
               WIDTH - done, "", percent);
        fflush(stdout);
    } else if (percent / 10 > a->percent / 10 || a->percent < 0) {
        printf("%d %%\n", percent);
    }
    a->percent = percent;
}

static void on_progress(iothub_upload *u, const iothub_upload_info *info, void *user)
{
    app *a = user;

    (void)u;
    if (info->result != IOTHUB_OK && info->state < IOTHUB_UPLOAD_SUCCEEDED) {
        (void)cli_error("%s; trying again", info->text);
    }
    if (info->size != PLAT_SIZE_UNKNOWN) {
        const int percent = info->size > 0 ? (int)(info->sent * 100 / info->size) : 100;
        if (percent != a->percent) {
            show(a, percent);
        }
    }
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

static int run(app *a)
{
    iothub_error error;
    iothub_upload_info info;
    iothub_upload *u = iothub_upload_start(&a->options, &error);

    if (u == NULL) {
        return cli_error("%s", error.text);
    }
    while (iothub_upload_wait(u, 1000) < IOTHUB_UPLOAD_SUCCEEDED) {
    }
    iothub_upload_get_info(u, &info);
    printf("%s%s\n", isatty(STDOUT_FILENO) && a->percent >= 0 ? "\n" : "",
           info.state == IOTHUB_UPLOAD_SUCCEEDED ? "uploaded" : "not uploaded");
    const int status =
        info.state == IOTHUB_UPLOAD_SUCCEEDED ? EXIT_SUCCESS : cli_error("%s", info.text);
    iothub_upload_free(u);
    return status;
}

/* Takes the client certificate of the environment, if there is one. */
static bool take_certificate(app *a)
{
    static iothub_credential credential;
    static plat_platform platform;
    const char *chain = variable("IOTHUB_X509_CERTIFICATE_FILE");
    plat_identity_fault fault;

    platform = *plat_posix();
    platform.identities = plat_posix_identities();
    a->options.platform = &platform;
    if (chain == NULL) {
        return true;
    }
    const plat_identity_config config = { .chain = { .file = chain },
                                          .key = { .file = variable("IOTHUB_X509_KEY_FILE") } };
    if (platform.identities->make(platform.identities, &config, &a->identity, &fault) != PLAT_OK) {
        (void)cli_error("%s", fault.text);
        return false;
    }
    credential = iothub_x509_credential(a->identity);
    a->options.credential = &credential;
    return true;
}

int main(int argc, char **argv)
{
    const struct argp_option options[] = {
        { "name", 'n', "BLOB", 0, "Name of the blob (the last part of FILE)", 0 },
        { "state", 's', "DIRECTORY", 0, "Where to keep what is needed to continue later", 0 },
        { "content-type", 't', "TYPE", 0, "Media type (application/octet-stream)", 0 },
        { "block-size", 'b', "BYTES", 0, "Size of a block (4194304)", 0 },
        { 0 },
    };
    const struct argp argp = {
        options,
        parse_option,
        "FILE",
        "Uploads a file into the storage account of the hub.\v"
        "Environment:\n"
        "  IOTHUB_DEVICE_CONNECTION_STRING  the device (required)\n"
        "  IOTHUB_X509_CERTIFICATE_FILE     its certificate with the issuers, instead of a key\n"
        "  IOTHUB_X509_KEY_FILE             the private key of the certificate\n"
        "  IOTHUB_REST_PORT                 HTTPS port of the hub (443)\n"
        "  IOTHUB_PROXY                     URL of a proxy\n"
        "  IOTHUB_BIND                      interface or address to bind to\n"
        "  IOTHUB_CA_FILE                   PEM file with the roots to trust",
        NULL,
        NULL,
        NULL
    };
    static char file_fault[PLAT_READER_DETAIL_SIZE];
    static char state_fault[PLAT_KV_DETAIL_SIZE];
    app a = { .percent = -1 };

    iothub_upload_options_init(&a.options);
    cli_begin();
    cli_parse(&argp, argc, argv, 0, &a);
    setvbuf(stdout, NULL, _IOLBF, 0);
    a.options.connection_string = variable("IOTHUB_DEVICE_CONNECTION_STRING");
    if (a.options.connection_string == NULL ||
        !cli_port_of("IOTHUB_REST_PORT", a.options.port, &a.options.port)) {
        (void)cli_error("IOTHUB_DEVICE_CONNECTION_STRING or IOTHUB_REST_PORT is not usable");
        return CLI_EXIT_USAGE;
    }
    const char *slash = strrchr(a.file, '/');
    if (a.options.blob_name == NULL) {
        a.options.blob_name = slash != NULL ? slash + 1 : a.file;
    }
    if (!take_certificate(&a)) {
        return EXIT_FAILURE;
    }
    a.options.ca_file = variable("IOTHUB_CA_FILE");
    a.options.proxy = variable("IOTHUB_PROXY");
    a.options.bind = variable("IOTHUB_BIND");
    a.options.keep_token = true;
    a.options.state_key = a.state != NULL ? "upload" : NULL;
    a.options.progress = on_progress;
    a.options.user = &a;
    if (plat_file_reader_open(a.file, &a.options.reader, file_fault) != PLAT_OK) {
        return cli_error("%s", file_fault);
    }
    if (a.state != NULL && plat_file_kv_open(a.state, &a.options.state, state_fault) != PLAT_OK) {
        return cli_error("%s", state_fault);
    }
    const int status = run(&a);
    plat_file_kv_close(a.options.state);
    plat_file_reader_close(a.options.reader);
    plat_posix_identities()->release(a.identity);
    return status;
}
