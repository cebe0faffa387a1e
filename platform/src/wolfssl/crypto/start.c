#include "wolfssl/crypto/start.h"

#include <pthread.h>
#include <stddef.h>

#include "wolfssl/crypto/crypto_callback.h"

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

static struct {
    pthread_mutex_t lock;
    bool started;
    int device;
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER, .device = INVALID_DEVID };

bool plat_wolfssl_start(int *device)
{
    (void)pthread_mutex_lock(&shared.lock);
    if (!shared.started && wolfSSL_Init() == WOLFSSL_SUCCESS) {
        shared.device = plat_crypto_callback_register();
        shared.started = true;
    }
    bool started = shared.started;
    if (device != NULL) {
        *device = shared.device;
    }
    (void)pthread_mutex_unlock(&shared.lock);
    return started;
}
