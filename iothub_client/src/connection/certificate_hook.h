#ifndef IOTHUB_CERTIFICATE_HOOK_H
#define IOTHUB_CERTIFICATE_HOOK_H

/**
 * @file
 * How a client uses a certificate that renews itself (iothub/certificate.h). The functions are
 * behind pointers, so that a program links the renewal only if it makes such a certificate.
 */

#include <stdbool.h>

#include "context/context.h"
#include "context/deadline.h"
#include "hub/topics.h"
#include "iothub/certificate.h"
#include "iothub/credential.h"

/** What the certificate must know of its client in each turn. */
typedef struct certificate_view {
    bool listens; /* the client is connected, and the hub has confirmed the subscription */
    iothub_credentials_info credentials;
} certificate_view;

/** Credentials of which the first one replaces those of the client when it has logged in. The
 * others may be used after that. */
typedef struct certificate_trial {
    const iothub_credential *list;
    size_t count;
} certificate_trial;

typedef struct certificate_ops {
    /** Begins to serve a client, whose options were checked. */
    iothub_result (*attach)(iothub_certificate *c, iothub_context *context, iothub_error *error);
    /** Called when the client ends. */
    void (*detach)(iothub_certificate *c);
    /**
     * Does what is due, in each turn. If it returns true, *trial must be passed to
     * session_try_credentials, and on_tried called if that succeeds; otherwise the next turn
     * returns it again. Callbacks may run meanwhile.
     */
    bool (*turn)(iothub_certificate *c, const certificate_view *view, mqc_time now,
                 certificate_trial *trial);
    void (*on_tried)(iothub_certificate *c);
    /** Handles an answer of the hub. fault is set if its payload could not be received. */
    void (*on_answer)(iothub_certificate *c, const topic_parts *p, mqc_span payload,
                      const iothub_error *fault);

    /* --- for a client that the Device Provisioning Service assigns to a hub --- */

    /** Returns whether only a registration can provide a certificate that is valid now. */
    bool (*needs_registration)(const iothub_certificate *c);
    /** Makes a new key and a request for its certificate, as base64. Empty: a failure, which was
     * logged. */
    mqc_span (*make_request)(iothub_certificate *c, mqc_span common_name);
    /** Takes the chain that was issued for the latest request. Returns true if the client must
     * change its credentials before it connects. */
    bool (*take_chain)(iothub_certificate *c, mqc_span der);
} certificate_ops;

/** The first member of struct iothub_certificate. */
typedef struct certificate_base {
    const certificate_ops *ops;
    mqc_time wake_at; /* when turn has something to do; IOTHUB_NEVER: it only waits for others */
} certificate_base;

/** Returns the functions of the client's certificate, or NULL. */
static inline const certificate_ops *certificate_ops_of(const iothub_context *context)
{
    const void *c = context->options.certificate;

    return c != NULL ? ((const certificate_base *)c)->ops : NULL;
}

/** Returns when the certificate has something to do. */
static inline mqc_time certificate_deadline(const iothub_context *context)
{
    const void *c = context->options.certificate;

    return c != NULL ? ((const certificate_base *)c)->wake_at : IOTHUB_NEVER;
}

#endif
