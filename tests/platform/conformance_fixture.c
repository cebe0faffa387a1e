#include "conformance_fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/file_kv.h"

/* --- a disk whose power fails ------------------------------------------------------------- */

/* The nth write from now on fails, and so does everything after it; 0: none fails. */
static unsigned fail_in;
static bool off;

ssize_t __real_write(int fd, const void *from, size_t len);
int __real_fsync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
ssize_t __wrap_write(int fd, const void *from, size_t len);
int __wrap_fsync(int fd);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);

static bool fails(void)
{
    if (fail_in > 0 && --fail_in == 0) {
        off = true;
    }
    errno = EIO;
    return off;
}

ssize_t __wrap_write(int fd, const void *from, size_t len)
{
    const bool was_off = off;

    if (!fails()) {
        return __real_write(fd, from, len);
    }
    return was_off || len < 2 ? -1 : __real_write(fd, from, len / 2); /* the power fails midway */
}

int __wrap_fsync(int fd)
{
    return fails() ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return fails() ? -1 : __real_renameat(from_dir, from, to_dir, to);
}

static plat_result open_kv(void *user, plat_kv **out)
{
    struct conformance_fixture *f = user;
    char detail[PLAT_KV_DETAIL_SIZE];

    return plat_file_kv_open(f->directory, out, detail);
}

static void close_kv(void *user, plat_kv *kv)
{
    (void)user;
    off = false;
    fail_in = 0;
    plat_file_kv_close(kv);
}

static void cut_kv(void *user, uint32_t writes)
{
    (void)user;
    fail_in = writes;
}

/* --- the store ----------------------------------------------------------------------------- */

static plat_result open_store(void *user, plat_store **out)
{
    struct conformance_fixture *f = user;
    plat_result r = f->flash.base.try_open(&f->flash.base);

    *out = f->flash.base.store;
    return r;
}

static void cut_store(void *user, uint32_t writes)
{
    struct conformance_fixture *f = user;

    sim_flash_cut_in(&f->flash.flash, writes);
}

static void lose_store(void *user, plat_store *s)
{
    struct conformance_fixture *f = user;

    (void)s;
    sim_flash_power_on(&f->flash.flash);
}

/* --- the rest ------------------------------------------------------------------------------ */

static void keep_line(void *user, const char *line)
{
    struct conformance_fixture *f = user;
    int n = snprintf(f->text + f->len, sizeof f->text - f->len, "%s\n", line);

    assert_true(n > 0 && (size_t)n < sizeof f->text - f->len);
    f->len += (size_t)n;
}

/* Defined by the address sanitizer, whose heap the C library knows nothing about. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t in_use(void *user)
{
    DIR *d = opendir("/proc/self/fd");
    size_t n = 0;

    (void)user;
    while (d != NULL && readdir(d) != NULL) {
        n++;
    }
    (void)closedir(d);
    return n + (__sanitizer_get_current_allocated_bytes != NULL
                    ? __sanitizer_get_current_allocated_bytes()
                    : (size_t)mallinfo2().uordblks);
}

static void start_peer(struct conformance_fixture *f)
{
    int ends[2];
    char line[64] = "";
    assert_int_equal(pipe(ends), 0);

    f->peer_pid = fork();
    if (f->peer_pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* so that it ends with the test in any case */
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)execlp("python3", "python3", "-B", CONFORMANCE_PEER, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    assert_non_null(in);
    assert_non_null(fgets(line, sizeof line, in));
    assert_int_equal(strncmp(line, "listening on ", 13), 0);
    f->peer.port = (uint16_t)atoi(line + 13);
    (void)fclose(in);
}

/* A port that stays refused: it is bound, and nobody listens on it. */
static uint16_t bound_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    return ntohs(a.sin_port);
}

static void clear_directory(const char *path)
{
    DIR *d = opendir(path);

    for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
        (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d != NULL) {
        (void)closedir(d);
    }
}

void conformance_begin(struct conformance_fixture *f)
{
    f->len = 0;
    f->text[0] = '\0';
    clear_directory(f->directory);
    if (f->flash_made) {
        flash_fixture_free(&f->flash);
    }
    flash_fixture_init(&f->flash, 2048, 8, 8);
    f->flash_made = true;
    f->platform = *plat_posix();
    f->peer.host = "127.0.0.1";
    f->peer.refused_port = f->refused_port;
    f->store = (plat_conformance_store){
        .user = f, .open = open_store, .cut_in = cut_store, .lost = lose_store, .fill = true
    };
    f->kv =
        (plat_conformance_kv){ .user = f, .open = open_kv, .close = close_kv, .cut_in = cut_kv };
    f->conformance = (plat_conformance){ .platform = &f->platform,
                                         .print = keep_line,
                                         .in_use = in_use,
                                         .user = f,
                                         .peer = &f->peer,
                                         .store = &f->store,
                                         .kv = &f->kv };
}

void conformance_own_directory(struct conformance_fixture *f)
{
    strcpy(f->directory, "/tmp/test_conformance.XXXXXX");
    assert_non_null(mkdtemp(f->directory));
}

void conformance_remove_directory(struct conformance_fixture *f)
{
    clear_directory(f->directory);
    (void)rmdir(f->directory);
}

int conformance_setup(void **state)
{
    struct conformance_fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    (void)signal(SIGPIPE, SIG_IGN);
    conformance_own_directory(f);
    start_peer(f);
    f->refused_port = bound_port();
    *state = f;
    return 0;
}

int conformance_teardown(void **state)
{
    struct conformance_fixture *f = *state;

    (void)kill(f->peer_pid, SIGTERM);
    (void)waitpid(f->peer_pid, NULL, 0);
    conformance_remove_directory(f);
    if (f->flash_made) {
        flash_fixture_free(&f->flash);
    }
    free(f);
    return 0;
}
