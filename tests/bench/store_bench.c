/* Measures the speed and the size of the SQLite store.
 *
 *   store_bench [--count N] [--dir DIRECTORY] default: 1,000,000 in the current directory */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "platform/sqlite_store.h"

enum { BODY = 256, HEAD = 64, WINDOW = 100, DELAY_MS = 1000 };

struct bench {
    char path[512];
    unsigned long count;
    plat_store *store;
};

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t now_ms(void)
{
    return (uint64_t)(now_s() * 1000.0);
}

static void check(const struct bench *b, plat_result r, const char *what)
{
    if (r != PLAT_OK) {
        fprintf(stderr, "store_bench: %s: %s\n", what,
                b->store != NULL ? b->store->ops->detail(b->store) : plat_result_str(r));
        exit(1);
    }
}

/* Returns the memory of this process in KB, from /proc. */
static long rss_kb(void)
{
    long total = 0;
    long resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f != NULL) {
        if (fscanf(f, "%ld %ld", &total, &resident) != 2) {
            resident = 0;
        }
        (void)fclose(f);
    }
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void open_store(struct bench *b, uint32_t delay_ms)
{
    const plat_sqlite_options o = { .path = b->path, .owner = "bench", .sync_delay_ms = delay_ms };
    char detail[PLAT_STORE_DETAIL_SIZE];
    plat_result r = plat_sqlite_store_open(&o, &b->store, detail);

    if (r != PLAT_OK) {
        fprintf(stderr, "store_bench: %s\n", detail);
        exit(1);
    }
}

static void close_store(struct bench *b)
{
    plat_result r = b->store->ops->close(b->store);

    b->store = NULL;
    check(b, r, "close");
}

static void append(struct bench *b, unsigned long count)
{
    char head[HEAD];
    char body[BODY];
    plat_store_record record = { .head = head, .head_len = HEAD, .body = body, .body_len = BODY };

    memset(head, 'h', sizeof head);
    memset(body, 'b', sizeof body);
    for (unsigned long i = 0; i < count; i++) {
        check(b, b->store->ops->append(b->store, &record, now_ms()), "append");
        check(b, b->store->ops->on_time(b->store, now_ms()), "on_time");
    }
}

static void measure_append(struct bench *b, unsigned long count, uint32_t delay_ms,
                           const char *what)
{
    open_store(b, delay_ms);
    double start = now_s();
    append(b, count);
    check(b, b->store->ops->sync(b->store), "sync");
    printf("%-36s %10.0f /s\n", what, (double)count / (now_s() - start));
    close_store(b);
}

static void measure_opening(struct bench *b)
{
    plat_store_info info;
    plat_store_record record;
    long before = rss_kb();
    double start = now_s();

    open_store(b, DELAY_MS);
    check(b, b->store->ops->read(b->store, 0, &record), "read");
    b->store->ops->info(b->store, &info);
    printf("%-36s %10.1f ms\n", "opening, with the first read", (now_s() - start) * 1000.0);
    printf("%-36s %10ld KB\n", "memory for that", rss_kb() - before);
    printf("%-36s %10.1f\n", "bytes on the disk for each of 320",
           (double)info.disk / (double)info.count);
}

/* Reads and removes records as a client does: some are in flight, and they are acknowledged in
 * order. */
static void measure_drain(struct bench *b)
{
    uint64_t flying[WINDOW];
    unsigned long sent = 0;
    unsigned long done = 0;
    uint64_t seq = 0;
    plat_store_record record;
    plat_store_info info;
    double start = now_s();

    for (;;) {
        plat_result r = PLAT_EOF;
        if (sent - done < WINDOW) {
            r = b->store->ops->read(b->store, seq, &record);
        }
        if (r == PLAT_OK) {
            flying[sent++ % WINDOW] = record.seq;
            seq = record.seq + 1;
        } else if (done < sent) {
            check(b, b->store->ops->remove(b->store, flying[done++ % WINDOW], now_ms()), "remove");
            check(b, b->store->ops->on_time(b->store, now_ms()), "on_time");
        } else {
            check(b, r == PLAT_EOF ? PLAT_OK : r, "read");
            break;
        }
    }
    check(b, b->store->ops->sync(b->store), "sync");
    printf("%-36s %10.0f /s\n", "read and removed", (double)done / (now_s() - start));
    b->store->ops->info(b->store, &info);
    printf("%-36s %10ld KB\n", "memory of the process at the end", rss_kb());
    printf("%-36s %10llu KB\n", "on the disk when empty", (unsigned long long)info.disk / 1024);
    if (done != b->count) {
        fprintf(stderr, "store_bench: %lu of %lu came back\n", done, b->count);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    struct bench b = { .count = 1000000 };
    const char *dir = ".";

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--count") == 0) {
            b.count = strtoul(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--dir") == 0) {
            dir = argv[i + 1];
        }
    }
    snprintf(b.path, sizeof b.path, "%s/store_bench.%ld", dir, (long)getpid());

    unsigned long synced = b.count / 50 + 1;
    measure_append(&b, synced, 0, "appended, synced each");
    (void)unlink(b.path);
    measure_append(&b, b.count, DELAY_MS, "appended, synced once a second");
    measure_opening(&b);
    measure_drain(&b);
    close_store(&b);
    (void)unlink(b.path);
    return 0;
}
