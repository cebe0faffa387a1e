#include <stdio.h>
#include <stdlib.h>

#include "credential_fixture.h"
#include "runner_rig.h"

/* Tests threads that change a client while its runner drives it and others send. */

enum { SENDERS = 2, MESSAGES = 300, REPLACEMENTS = 60, LISTS = 3, LIFE_S = 1000000 };

/* The rig's lock protects what several threads use. */
typedef struct crowd {
    runner_rig *r;
    plat_identity identity;
    iothub_token_provider provider;
    char memory[IOTHUB_SAS_TOKEN_SIZE];
    char token[IOTHUB_SAS_TOKEN_SIZE];
    iothub_credential lists[LISTS]; /* each has one credential */
    iothub_callbacks callbacks;     /* those that are set and removed */
    unsigned connected;             /* statuses that report IOTHUB_CONNECTED */
    unsigned surprises;             /* statuses with a reason */
    unsigned replaced, toggled;
    bool token_wanted;
    bool over;
    unsigned heard[SENDERS]; /* only the thread that sends uses them */
} crowd;

static crowd the_crowd; /* global, because the hooks of the rig have no user pointer */

typedef struct sender {
    crowd *w;
    unsigned number;
} sender;

/* --- hub and callbacks ------------------------------------------------------------------------ */

/* Each message arrives in order; those in flight may be repeated on a new connection. */
static void hear(runner_rig *r, scripted_stream *s, const fake_hub_publish *p)
{
    unsigned from = 0;
    unsigned number = 0;

    (void)r;
    (void)s;
    if (strncmp(p->topic, "devices/", 8) != 0) {
        return;
    }
    assert_int_equal(sscanf(p->payload, "%u:%u", &from, &number), 2);
    assert_in_range(from, 0, SENDERS - 1);
    assert_in_range(number, 1, the_crowd.heard[from] + 1);
    if (number > the_crowd.heard[from]) {
        the_crowd.heard[from] = number;
    }
}

static void note_status(runner_rig *r, const iothub_status *s)
{
    (void)pthread_mutex_lock(&r->lock);
    the_crowd.connected += s->state == IOTHUB_CONNECTED;
    the_crowd.surprises += s->reason != IOTHUB_OK;
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
}

/* Another thread answers. */
static void on_token_wanted(iothub_client *c, void *user)
{
    crowd *w = user;

    (void)c;
    (void)pthread_mutex_lock(&w->r->lock);
    w->token_wanted = true;
    (void)pthread_cond_broadcast(&w->r->changed);
    (void)pthread_mutex_unlock(&w->r->lock);
}

/* --- threads ---------------------------------------------------------------------------------- */

static void *send_all(void *arg)
{
    const sender *me = arg;
    runner_rig *r = me->w->r;

    for (unsigned n = 1; n <= MESSAGES;) {
        char body[32];
        (void)pthread_mutex_lock(&r->lock);
        const unsigned before = r->dones;
        (void)pthread_mutex_unlock(&r->lock);
        (void)snprintf(body, sizeof body, "%u:%u", me->number, n);
        const iothub_result result = rig_send(r, me->number * MESSAGES + n, body);
        if (result == IOTHUB_OK) {
            n++;
        } else {
            assert_int_equal(result, IOTHUB_ERR_NO_SPACE);
            rig_await_dones(r, before + 1);
        }
    }
    return NULL;
}

static unsigned connected(crowd *w)
{
    (void)pthread_mutex_lock(&w->r->lock);
    const unsigned n = w->connected;
    (void)pthread_mutex_unlock(&w->r->lock);
    return n;
}

/* Waits until the client has connected once more than `before`. */
static void await_login(crowd *w, unsigned before)
{
    (void)pthread_mutex_lock(&w->r->lock);
    while (w->connected <= before) {
        (void)pthread_cond_wait(&w->r->changed, &w->r->lock);
    }
    (void)pthread_mutex_unlock(&w->r->lock);
}

static bool uses(const crowd *w, const iothub_credential *list)
{
    iothub_credentials_info info;

    iothub_get_credentials(w->r->f.client, &info);
    return info.credentials == list && info.replacement == NULL;
}

/* Replaces the credentials again and again: a key, a certificate, a token provider. */
static void *replace_all(void *arg)
{
    crowd *w = arg;

    for (unsigned n = 0; n < REPLACEMENTS; n++) {
        const iothub_credential *next = &w->lists[n % LISTS];
        unsigned logins = connected(w);
        assert_int_equal(iothub_set_credentials(w->r->f.client, next, 1), IOTHUB_OK);
        while (!uses(w, next)) {
            await_login(w, logins);
            logins++;
        }
        w->replaced++;
    }
    return NULL;
}

static void *provide_tokens(void *arg)
{
    crowd *w = arg;
    bool over = false;

    while (!over) {
        (void)pthread_mutex_lock(&w->r->lock);
        while (!w->token_wanted && !w->over) {
            (void)pthread_cond_wait(&w->r->changed, &w->r->lock);
        }
        const bool wanted = w->token_wanted;
        w->token_wanted = false;
        over = w->over;
        (void)pthread_mutex_unlock(&w->r->lock);
        if (wanted) {
            assert_int_equal(iothub_provide_token(w->r->f.client, w->token), IOTHUB_OK);
        }
    }
    return NULL;
}

static bool is_over(crowd *w)
{
    (void)pthread_mutex_lock(&w->r->lock);
    const bool over = w->over;
    (void)pthread_mutex_unlock(&w->r->lock);
    return over;
}

/* Removes and sets the callbacks, each at a different rate. */
static void *toggle_callbacks(void *arg)
{
    crowd *w = arg;
    iothub_client *c = w->r->f.client;

    for (unsigned n = 1; !is_over(w); n++) {
        assert_int_equal(iothub_set_c2d_callback(c, n % 2 == 0 ? w->callbacks.c2d : NULL),
                         IOTHUB_OK);
        assert_int_equal(iothub_set_desired_callback(c, n % 3 == 0 ? w->callbacks.desired : NULL),
                         IOTHUB_OK);
        assert_int_equal(iothub_set_method_callback(c, n % 5 == 0 ? w->callbacks.method : NULL),
                         IOTHUB_OK);
        w->toggled++;
    }
    return NULL;
}

/* --- the test --------------------------------------------------------------------------------- */

static void make_credentials(crowd *w)
{
    w->identity = make_identity(LIFE_S);
    memcpy(w->token, device_token(LIFE_S), sizeof w->token);
    /* Not more than the tokens that the client makes with its key. */
    w->provider = (iothub_token_provider){ .request = on_token_wanted,
                                           .user = w,
                                           .memory = w->memory,
                                           .memory_size = strlen(w->token) + 1 };
    w->lists[0] = iothub_x509_credential(&w->identity);
    w->lists[1] = iothub_provider_credential(&w->provider);
    w->lists[2] = iothub_key_credential(KEY, NULL);
}

static void begin(crowd *w)
{
    memset(w, 0, sizeof *w);
    w->r = rig_new(NULL);
    w->r->on_publish = hear;
    w->r->on_status = note_status;
    w->callbacks = w->r->f.options.callbacks;
    make_credentials(w);
    rig_connect(w->r);
    await_login(w, 0);
}

static void set_over(crowd *w)
{
    (void)pthread_mutex_lock(&w->r->lock);
    w->over = true;
    (void)pthread_cond_broadcast(&w->r->changed);
    (void)pthread_mutex_unlock(&w->r->lock);
}

static void credentials_and_callbacks_change_on_other_threads_while_messages_are_sent(void **state)
{
    (void)state;
    crowd *w = &the_crowd;
    pthread_t threads[SENDERS + 3];
    sender senders[SENDERS];
    begin(w);

    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (sender){ w, i };
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
    assert_int_equal(pthread_create(&threads[SENDERS], NULL, replace_all, w), 0);
    assert_int_equal(pthread_create(&threads[SENDERS + 1], NULL, provide_tokens, w), 0);
    assert_int_equal(pthread_create(&threads[SENDERS + 2], NULL, toggle_callbacks, w), 0);
    for (unsigned i = 0; i <= SENDERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    rig_await_dones(w->r, SENDERS * MESSAGES);
    set_over(w);
    assert_int_equal(pthread_join(threads[SENDERS + 1], NULL), 0);
    assert_int_equal(pthread_join(threads[SENDERS + 2], NULL), 0);
    assert_int_equal(iothub_runner_stop(w->r->f.client), IOTHUB_OK);

    for (unsigned i = 0; i < SENDERS; i++) {
        assert_int_equal(w->heard[i], MESSAGES);
    }
    assert_int_equal(w->replaced, REPLACEMENTS);
    assert_int_equal(w->surprises, 0);
    assert_true(w->toggled > 0);
    rig_free(w->r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_and_callbacks_change_on_other_threads_while_messages_are_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
