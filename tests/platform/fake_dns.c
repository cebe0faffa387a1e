#include "fake_dns.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool gate_closed;
static unsigned hanging;
static unsigned calls;

typedef struct answers {
    const char *const *addresses;
    size_t count;
} answers;

static answers now;

/* Takes the lock, because a look-up that an earlier test abandoned may still be running. */
void fake_dns_set(const char *const *addresses, size_t count)
{
    pthread_mutex_lock(&lock);
    now = (answers){ addresses, count };
    pthread_mutex_unlock(&lock);
}

void fake_dns_close_gate(void)
{
    pthread_mutex_lock(&lock);
    gate_closed = true;
    pthread_mutex_unlock(&lock);
}

void fake_dns_open_gate(void)
{
    pthread_mutex_lock(&lock);
    gate_closed = false;
    pthread_cond_broadcast(&changed);
    while (hanging > 0) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

unsigned fake_dns_await(unsigned count)
{
    pthread_mutex_lock(&lock);
    while (hanging < count) {
        pthread_cond_wait(&changed, &lock);
    }
    unsigned seen = calls;
    pthread_mutex_unlock(&lock);
    return seen;
}

/* Waits until the gate is open, then returns the addresses. */
static answers ask(const char *name)
{
    pthread_mutex_lock(&lock);
    calls++;
    bool slow = strncmp(name, "slow", 4) == 0 && gate_closed;
    hanging += slow ? 1 : 0;
    pthread_cond_broadcast(&changed);
    while (slow && gate_closed) {
        pthread_cond_wait(&changed, &lock);
    }
    hanging -= slow ? 1 : 0;
    pthread_cond_broadcast(&changed);
    answers found = now;
    pthread_mutex_unlock(&lock);
    return found;
}

typedef struct entry {
    struct addrinfo info;
    struct sockaddr_in6 address; /* large enough for both kinds of address */
} entry;

static struct addrinfo *make(const char *text)
{
    entry *e = calloc(1, sizeof *e);
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&e->address;
    e->info.ai_addr = (struct sockaddr *)(void *)&e->address;
    if (inet_pton(AF_INET6, text, &e->address.sin6_addr) == 1) {
        e->info.ai_family = e->address.sin6_family = AF_INET6;
        e->info.ai_addrlen = sizeof e->address;
    } else if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        e->info.ai_family = v4->sin_family = AF_INET;
        e->info.ai_addrlen = sizeof *v4;
    } else {
        free(e);
        return NULL;
    }
    return &e->info;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **res)
{
    (void)service;
    *res = make(node);
    if (*res != NULL || (hints->ai_flags & AI_NUMERICHOST) != 0) {
        return *res != NULL ? 0 : EAI_NONAME;
    }
    const answers found = ask(node);
    if (strncmp(node, "silent", 6) == 0) {
        return EAI_AGAIN;
    }
    struct addrinfo **end = res;
    for (size_t i = 0; i < found.count && strncmp(node, "missing", 7) != 0; i++) {
        *end = make(found.addresses[i]);
        end = &(*end)->ai_next;
    }
    return *res != NULL ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}
