#ifndef IOTHUB_UPLOAD_CONTROL_H
#define IOTHUB_UPLOAD_CONTROL_H

/** @file The requests that an upload makes one at a time: to the hub, and the commit. */

#include "upload/upload_requests.h"

/** What is requested. */
typedef enum upload_errand_kind {
    UPLOAD_ERRAND_PLACE, /* the hub is asked for a place */
    UPLOAD_ERRAND_COMMIT,
    UPLOAD_ERRAND_NOTIFY
} upload_errand_kind;

/** A request. */
typedef struct upload_errand {
    upload_errand_kind kind;
    uint32_t blocks; /* UPLOAD_ERRAND_COMMIT: number of blocks */
    bool success;    /* UPLOAD_ERRAND_NOTIFY: the outcome */
    int status;      /* UPLOAD_ERRAND_NOTIFY: the status that is reported */
} upload_errand;

/** The state of that request. Only upload_control.c writes its members. */
typedef struct upload_control {
    const iothub_upload_options *o;
    plat_http *http;
    bool busy;        /* the request is on its way */
    bool may_be_done; /* an attempt whose answer was lost may have had its effect */
    uint32_t failures;
    uint64_t due; /* when the next attempt begins */
    char *list;   /* the block list while it is being sent */
} upload_control;

/** What upload_control_run reports. */
typedef enum upload_control_answer {
    UPLOAD_CONTROL_WAIT,    /* nothing has changed */
    UPLOAD_CONTROL_REPEAT,  /* an attempt has failed and will be repeated; *why is set */
    UPLOAD_CONTROL_ANSWERED /* *answer is set, with a status that is not repeated */
} upload_control_answer;

/** Makes it. Returns false without memory; upload_control_free is needed all the same. */
bool upload_control_init(upload_control *c, const iothub_upload_options *o,
                         plat_result (*make_http)(plat_http **out));
void upload_control_free(upload_control *c);

/** Begins with the next errand. */
void upload_control_reset(upload_control *c);

/** Lets the first attempt wait as if one had failed. */
void upload_control_delay(upload_control *c);

/** Call it if an earlier run of the program may have done the errand. */
void upload_control_assume_done(upload_control *c);

/** Does one step of the errand. */
upload_control_answer upload_control_run(upload_control *c, const upload_target *target,
                                         const upload_errand *errand, plat_http_answer *answer,
                                         iothub_error *why);

#endif
