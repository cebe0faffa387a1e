#ifndef TEST_CONTEXT_FIXTURE_H
#define TEST_CONTEXT_FIXTURE_H

/**
 * @file
 * The context that the parts of a client share, on a fake platform and without the parts.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "context/context.h"
#include "fake_platform.h"

typedef struct context_fixture {
    fake_platform platform;
    iothub_context context;
} context_fixture;

/** Initialises a context with the host hub.example, without callbacks and without a lock. */
static inline void context_fixture_init(context_fixture *f)
{
    fake_platform_init(&f->platform);
    memset(&f->context, 0, sizeof f->context);
    iothub_options_init(&f->context.options);
    f->context.options.platform = &f->platform.platform;
    f->context.options.log_level = IOTHUB_LOG_DEBUG;
    f->context.identity.host_name = mqc_span_str("hub.example");
    f->context.identity.device_id = mqc_span_str("device1");
}

static inline void context_fixture_free(context_fixture *f)
{
    fake_platform_free(&f->platform);
}

#endif
