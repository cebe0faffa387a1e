#include "posix/resolver.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "posix/threads.h"

enum {
    HOST_SIZE = 256, /* 253 characters (RFC 1035 section 2.3.4), a final dot and a NUL */
    SPARES_MAX = PLAT_LOOKUP_THREADS
};

/* The pool's lock protects `state` and `next`. While RUNNING, the other members belong to the
 * helper thread. */
typedef enum lookup_state {
    LOOKUP_QUEUED,
    LOOKUP_RUNNING,
    LOOKUP_ABANDONED, /* released while RUNNING; the thread frees it */
    LOOKUP_DONE
} lookup_state;

struct plat_lookup {
    lookup_state state;
    plat_lookup *next;
    int fd;
    const char *why;
    size_t count;
    plat_address addresses[PLAT_LOOKUP_ADDRESSES];
    int sockets[PLAT_LOOKUP_ADDRESSES];
    char host[HOST_SIZE];
};

static struct {
    pthread_mutex_t lock;
    plat_lookup *first;
    plat_lookup **end;
    unsigned threads;
    plat_lookup *spare; /* one freed look-up, so that a reconnect needs no allocation */
    unsigned spares;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .end = &pool.first };

#ifndef NDEBUG
/* Call it with the pool's lock held. */
static bool pool_is_valid(void)
{
    if (pool.threads > PLAT_LOOKUP_THREADS || pool.spares > SPARES_MAX) {
        return false;
    }
    if ((pool.first == NULL) != (pool.end == &pool.first)) {
        return false;
    }
    return (pool.spare == NULL) == (pool.spares == 0);
}
#endif

static plat_lookup *take_spare(void)
{
    (void)pthread_mutex_lock(&pool.lock);
    assert(pool_is_valid());
    plat_lookup *l = pool.spare;
    if (l != NULL) {
        pool.spare = l->next;
        pool.spares--;
    }
    (void)pthread_mutex_unlock(&pool.lock);
    return l;
}

/* Call it with the pool's lock held. */
static void free_lookup(plat_lookup *l)
{
    if (pool.spares == SPARES_MAX) {
        free(l);
        return;
    }
    l->next = pool.spare;
    pool.spare = l;
    pool.spares++;
}

static plat_lookup *new_lookup(const char *host, size_t size)
{
    plat_lookup *l = take_spare();
    if (l == NULL) {
        l = malloc(sizeof *l);
    }
    if (l != NULL) {
        *l = (plat_lookup){ .state = LOOKUP_DONE, .fd = -1 };
        memcpy(l->host, host, size);
        for (size_t i = 0; i < PLAT_LOOKUP_ADDRESSES; i++) {
            l->sockets[i] = -1;
        }
    }
    return l;
}

/* Keeps addresses of IPv4 and IPv6 alternately (RFC 8305 section 4), otherwise in the order of
 * getaddrinfo. */
static void keep_addresses(plat_lookup *l, const struct addrinfo *list)
{
    const struct addrinfo *next[2] = { list, list };
    const int family[2] = { list->ai_family, list->ai_family == AF_INET6 ? AF_INET : AF_INET6 };
    for (int turn = 0; next[0] != NULL || next[1] != NULL; turn ^= 1) {
        while (next[turn] != NULL && next[turn]->ai_family != family[turn]) {
            next[turn] = next[turn]->ai_next;
        }
        const struct addrinfo *a = next[turn];
        if (a == NULL) {
            continue;
        }
        if (l->count == PLAT_LOOKUP_ADDRESSES) {
            return;
        }
        if (a->ai_addrlen <= sizeof l->addresses[0]) {
            memcpy(&l->addresses[l->count++], a->ai_addr, a->ai_addrlen);
        }
        next[turn] = a->ai_next;
    }
}

static const char *cause_of(int rc)
{
    switch (rc) {
    case 0:
    case EAI_NONAME: return "no such name";
    case EAI_AGAIN: return "the name servers do not answer";
    default: return gai_strerror(rc);
    }
}

static void resolve(plat_lookup *l, int flags)
{
    const struct addrinfo hints = {
        .ai_flags = flags,
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
    };
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(l->host, NULL, &hints, &list);
    if (rc == 0) {
        keep_addresses(l, list);
        freeaddrinfo(list);
    }
    if (l->count == 0) {
        l->why = cause_of(rc);
    }
}

/* RFC 6761 section 6.3: always the loopback addresses, without asking a name server. */
static bool is_localhost(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strcasecmp(host, "localhost.") == 0;
}

static void keep_loopback(plat_lookup *l)
{
    l->addresses[0].v6 = (struct sockaddr_in6){
        .sin6_family = AF_INET6,
        .sin6_addr = IN6ADDR_LOOPBACK_INIT,
    };
    l->addresses[1].v4 = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    l->count = 2;
}

/* This function and remove_queued must be called with the pool's lock held. */
static plat_lookup *take_next(void)
{
    plat_lookup *l = pool.first;
    if (l == NULL) {
        return NULL;
    }
    pool.first = l->next;
    if (pool.first == NULL) {
        pool.end = &pool.first;
    }
    l->state = LOOKUP_RUNNING;
    return l;
}

static void remove_queued(plat_lookup *l)
{
    plat_lookup **at = &pool.first;
    while (*at != l) {
        at = &(*at)->next;
    }
    *at = l->next;
    if (l->next == NULL) {
        pool.end = at;
    }
}

static void finish(plat_lookup *l)
{
    if (l->state == LOOKUP_ABANDONED) {
        free_lookup(l);
        return;
    }
    l->state = LOOKUP_DONE;
    const uint64_t one = 1;
    ssize_t n = write(l->fd, &one, sizeof one); /* cannot fail, because the counter is 0 */
    (void)n;
}

static void *work(void *unused)
{
    (void)unused;
    (void)pthread_mutex_lock(&pool.lock);
    for (plat_lookup *l = take_next(); l != NULL; l = take_next()) {
        (void)pthread_mutex_unlock(&pool.lock);
        resolve(l, AI_ADDRCONFIG);
        (void)pthread_mutex_lock(&pool.lock);
        finish(l);
    }
    pool.threads--;
    (void)pthread_mutex_unlock(&pool.lock);
    return NULL;
}

static int start_thread(void)
{
    pthread_t thread;
    return plat_posix_spawn(&thread, true, work, NULL);
}

static plat_result enqueue(plat_lookup *l)
{
    plat_result r = PLAT_OK;
    (void)pthread_mutex_lock(&pool.lock);
    assert(pool_is_valid());
    l->state = LOOKUP_QUEUED;
    *pool.end = l;
    pool.end = &l->next;
    if (pool.threads < PLAT_LOOKUP_THREADS) {
        if (start_thread() == 0) {
            pool.threads++;
        } else if (pool.threads == 0) {
            remove_queued(l);
            l->state = LOOKUP_DONE;
            r = PLAT_ERR_MEMORY;
        }
    }
    (void)pthread_mutex_unlock(&pool.lock);
    return r;
}

static plat_result ask_the_name_servers(plat_lookup *l)
{
    l->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->fd < 0) {
        return PLAT_ERR_MEMORY;
    }
    return enqueue(l);
}

plat_result plat_lookup_start(const char *host, plat_lookup **out)
{
    size_t size = strlen(host) + 1;
    if (size > HOST_SIZE) {
        return PLAT_ERR_ARG;
    }
    plat_lookup *l = new_lookup(host, size);
    if (l == NULL) {
        return PLAT_ERR_MEMORY;
    }
    plat_result r = PLAT_OK;
    if (is_localhost(host)) {
        keep_loopback(l);
    } else {
        resolve(l, AI_NUMERICHOST);
        if (l->count == 0) {
            r = ask_the_name_servers(l);
        }
    }
    if (r != PLAT_OK) {
        int fd = plat_lookup_release(l);
        if (fd >= 0) {
            (void)close(fd);
        }
        return r;
    }
    *out = l;
    return PLAT_OK;
}

int plat_lookup_fd(const plat_lookup *l)
{
    return l->fd;
}

bool plat_lookup_is_done(plat_lookup *l)
{
    (void)pthread_mutex_lock(&pool.lock);
    bool done = l->state == LOOKUP_DONE;
    (void)pthread_mutex_unlock(&pool.lock);
    return done;
}

size_t plat_lookup_count(const plat_lookup *l, const char **why)
{
    *why = l->why;
    return l->count;
}

const plat_address *plat_lookup_at(const plat_lookup *l, size_t index)
{
    return &l->addresses[index];
}

int *plat_lookup_socket(plat_lookup *l, size_t index)
{
    return &l->sockets[index];
}

int plat_lookup_release(plat_lookup *l)
{
    if (l == NULL) {
        return -1;
    }
    (void)pthread_mutex_lock(&pool.lock);
    int fd = l->fd;
    switch (l->state) {
    case LOOKUP_QUEUED:
        remove_queued(l);
        free_lookup(l);
        break;
    /* From now on the thread does not write to fd. */
    case LOOKUP_RUNNING: l->state = LOOKUP_ABANDONED; break;
    case LOOKUP_ABANDONED: break;
    case LOOKUP_DONE: free_lookup(l); break;
    }
    (void)pthread_mutex_unlock(&pool.lock);
    return fd;
}
