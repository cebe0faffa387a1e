#include "dps/dps_session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dps/dps_enrollment.h"

#define REGISTRATIONS "/registrations/"
#define VERSION       "/api-version="
#define TOKEN_NAME    "registration"
#define PREVIEW       "-preview"

/* The parts of the user name. */
typedef struct user_parts {
    size_t scope_len;
    const char *id;
    size_t id_len;
    const char *version;
    size_t version_len;
} user_parts;

static bool split(const char *user, user_parts *p)
{
    *p = (user_parts){ .scope_len = strcspn(user, "/") };
    const char *rest = user + p->scope_len;
    if (p->scope_len == 0 || strncmp(rest, REGISTRATIONS, strlen(REGISTRATIONS)) != 0) {
        return false;
    }
    p->id = rest + strlen(REGISTRATIONS);
    p->id_len = strcspn(p->id, "/");
    rest = p->id + p->id_len;
    if (strncmp(rest, VERSION, strlen(VERSION)) != 0) {
        return false;
    }
    p->version = rest + strlen(VERSION);
    p->version_len = strcspn(p->version, "&");
    return true;
}

bool dps_session_wanted(const char *client_id, const char *user_name)
{
    user_parts p;

    /* The client id of a module contains a slash, also if its device has the id "registrations". */
    return user_name != NULL && strchr(client_id, '/') == NULL && split(user_name, &p);
}

static void take_password(dps_session *s, const char *password)
{
    hub_fault ignored; /* the device gets the error when it registers */

    s->has_token = password != NULL && hub_token_parse(password, &s->token, &ignored) == HUB_OK;
}

dps_session *dps_session_new(const hub_credentials *c, const char *client_id, hub_fault *fault)
{
    user_parts p;

    if (c->user_name == NULL || !split(c->user_name, &p) || strlen(client_id) != p.id_len ||
        strncasecmp(client_id, p.id, p.id_len) != 0) {
        (void)hub_fail(fault, HUB_ERR_UNAUTHORIZED,
                       "the registration id of the user name is not the client id");
        return NULL;
    }
    if (!dps_id_valid(client_id)) {
        (void)hub_fail(fault, HUB_ERR_UNAUTHORIZED, "the client id is not a registration id");
        return NULL;
    }
    if (!hub_api_version_valid(p.version, p.version_len)) {
        (void)hub_fail(fault, HUB_ERR_UNAUTHORIZED, "the user name has no valid api-version");
        return NULL;
    }
    dps_session *s = hub_calloc(1, sizeof *s);
    s->id_scope = hub_memdup(c->user_name, p.scope_len);
    s->registration_id = hub_memdup(p.id, p.id_len);
    s->preview = p.version_len > strlen(PREVIEW) &&
                 memcmp(p.version + p.version_len - strlen(PREVIEW), PREVIEW, strlen(PREVIEW)) == 0;
    take_password(s, c->password);
    hub_client_chain_copy(&s->chain, c->chain);
    return s;
}

void dps_session_free(dps_session *s)
{
    if (s == NULL) {
        return;
    }
    free(s->id_scope);
    free(s->registration_id);
    if (s->has_token) {
        hub_token_free(&s->token);
    }
    hub_client_chain_free(&s->chain);
    free(s);
}

void dps_session_subscribe(dps_session *s)
{
    s->subscribed = true;
}

void dps_session_unsubscribe(dps_session *s)
{
    s->subscribed = false;
}

bool dps_session_signed_by(const dps_session *s, const char *key, int64_t now_s)
{
    const hub_token *t = &s->token;

    /* The vendor's Python SDK sends a token without a name. */
    if (!s->has_token || (t->policy != NULL && strcmp(t->policy, TOKEN_NAME) != 0) ||
        t->expiry_s <= now_s) {
        return false;
    }
    char *resource = hub_format("%s" REGISTRATIONS "%s", s->id_scope, s->registration_id);
    bool covers = strcasecmp(t->resource, resource) == 0;
    free(resource);
    return covers && hub_token_signed_by(t, key);
}
