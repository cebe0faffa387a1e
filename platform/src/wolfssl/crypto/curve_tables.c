#include "wolfssl/crypto/curve_tables.h"

#include <pthread.h>
#include <stdbool.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/ecc.h>

static struct {
    pthread_mutex_t lock;
    bool ready;
    pthread_key_t thread; /* used only for its destructor, which runs when a thread ends */
    unsigned threads;     /* number of threads that may have tables */
    unsigned handshakes;  /* number of handshakes in progress */
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void forget_points(void)
{
    /* Defined only with thread-local storage: without it all threads share the tables, and this
     * thread must not free them. */
#if defined(HAVE_ECC) && defined(FP_ECC) && defined(HAVE_THREAD_LS)
    wc_ecc_fp_free();
#endif
}

static void end_thread(void *unused)
{
    (void)unused;
    forget_points();
    (void)pthread_mutex_lock(&shared.lock);
    shared.threads--;
    (void)pthread_mutex_unlock(&shared.lock);
}

void plat_curve_tables_handshake_begins(void)
{
    (void)pthread_mutex_lock(&shared.lock);
    shared.handshakes++;
    (void)pthread_mutex_unlock(&shared.lock);
}

void plat_curve_tables_handshake_ends(void)
{
    (void)pthread_mutex_lock(&shared.lock);
    shared.handshakes--;
    (void)pthread_mutex_unlock(&shared.lock);
}

/* Call it with shared.lock held. */
static void note_thread(void)
{
    shared.ready = shared.ready || pthread_key_create(&shared.thread, end_thread) == 0;
    if (shared.ready && pthread_getspecific(shared.thread) == NULL &&
        /* Any value except NULL makes the destructor run. */
        pthread_setspecific(shared.thread, &shared) == 0) {
        shared.threads++;
    }
}

void plat_curve_tables_tidy(void)
{
    (void)pthread_mutex_lock(&shared.lock);
    note_thread();
    bool pay = shared.threads > 0 && shared.handshakes / PLAT_CURVE_TABLES_PAY >= shared.threads;
    (void)pthread_mutex_unlock(&shared.lock);
    if (!pay) {
        forget_points();
    }
}
