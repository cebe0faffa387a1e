#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>

#include <cmocka.h>

#include "wolfssl/crypto/start.h"

enum { THREADS = 8, UNKNOWN = -12345 };

static void *start(void *user)
{
    int *device = user;
    return plat_wolfssl_start(device) ? user : NULL;
}

static void many_threads_start_it_once_and_learn_the_same_device(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    int devices[THREADS];
    for (int i = 0; i < THREADS; i++) {
        devices[i] = UNKNOWN;
        assert_int_equal(pthread_create(&threads[i], NULL, start, &devices[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, &devices[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_not_equal(devices[i], UNKNOWN);
        assert_int_equal(devices[i], devices[0]);
    }
    assert_true(plat_wolfssl_start(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_start_it_once_and_learn_the_same_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
