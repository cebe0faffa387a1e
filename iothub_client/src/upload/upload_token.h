#ifndef IOTHUB_UPLOAD_TOKEN_H
#define IOTHUB_UPLOAD_TOKEN_H

/** @file The SAS token that iothub_upload_options.request_token provides for the hub. */

#include "iothub/sas.h"
#include "iothub/upload.h"

/** What is known about the token. */
typedef enum upload_token_phase {
    UPLOAD_TOKEN_NONE = 0,  /* none was requested, or it was refused */
    UPLOAD_TOKEN_REQUESTED, /* the application has not answered yet */
    UPLOAD_TOKEN_PROVIDED,
    UPLOAD_TOKEN_FAILED /* the application has no token, or did not answer */
} upload_token_phase;

/** The token. Only upload_token.c writes its members. */
typedef struct upload_token {
    const iothub_upload_options *o;
    iothub_upload *owner; /* passed to request_token */
    upload_token_phase phase;
    int64_t until_s;   /* when the token expires */
    uint64_t due;      /* UPLOAD_TOKEN_REQUESTED: when the request has failed */
    unsigned refusals; /* tokens in a row that the hub has refused */
    iothub_error fault;
    char text[IOTHUB_SAS_TOKEN_SIZE];
} upload_token;

/** What upload_token_prepare has found. */
typedef enum upload_token_answer {
    UPLOAD_TOKEN_READY,  /* a request to the hub may begin */
    UPLOAD_TOKEN_WAITS,  /* the application has not answered yet */
    UPLOAD_TOKEN_MISSING /* *why says why; the next call requests a token again */
} upload_token_answer;

/** Begins without a token. */
void upload_token_init(upload_token *t, const iothub_upload_options *o, iothub_upload *owner);

/** Requests a token if one is needed and there is none. */
upload_token_answer upload_token_prepare(upload_token *t, iothub_error *why);

/** Takes a token from the application; see iothub_upload_provide_token. */
iothub_result upload_token_provide(upload_token *t, const char *signature, iothub_error *error);

/** The application has no token. */
void upload_token_fail(upload_token *t, const char *reason);

/** The hub has refused the token. Returns whether another one should be tried. */
bool upload_token_refused(upload_token *t);

/** The hub has accepted the token. */
void upload_token_accepted(upload_token *t);

/** Returns the token; empty if the application provides none. */
mqc_span upload_token_text(const upload_token *t);

/** Returns when to look again while the application has not answered; otherwise `due`. */
uint64_t upload_token_deadline(const upload_token *t, uint64_t due);

#endif
