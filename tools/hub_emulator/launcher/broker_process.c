#include "launcher/broker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "broker/sessions.h"

#define PLUGIN     "hub_emulator_plugin.so"
#define STOP_TRIES 100
#define STOP_NS    50000000

/* --- finding things ---------------------------------------------------- */

static char *executable(const char *dir, size_t dir_len, const char *name)
{
    char *path = hub_format("%.*s/%s", (int)dir_len, dir, name);

    if (access(path, X_OK) == 0) {
        return path;
    }
    free(path);
    return NULL;
}

/* Debian installs the broker in /usr/sbin, which is not always in PATH. */
static char *find_mosquitto(const char *wanted)
{
    const char *path = getenv("PATH");

    if (wanted != NULL) {
        return access(wanted, X_OK) == 0 ? hub_strdup(wanted) : NULL;
    }
    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");
        char *found = len > 0 ? executable(path, len, "mosquitto") : NULL;
        if (found != NULL) {
            return found;
        }
        path += len + (path[len] == ':' ? 1 : 0);
    }
    static const char sbin[] = "/usr/sbin";
    static const char local[] = "/usr/local/sbin";
    char *found = executable(sbin, sizeof sbin - 1, "mosquitto");
    return found != NULL ? found : executable(local, sizeof local - 1, "mosquitto");
}

/* Looks for the plugin beside the program, then in the folder where it is installed. */
static char *find_plugin(void)
{
    static const char *const places[] = { ".", HUB_PLUGIN_RELATIVE_DIR };
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n <= 0) {
        return NULL;
    }
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char *path = hub_format("%s/%s/" PLUGIN, self, places[i]);
        char *real = realpath(path, NULL);
        free(path);
        if (real != NULL) {
            return real;
        }
    }
    return NULL;
}

/* --- starting ---------------------------------------------------------- */

static void add_dps(hub_text *t, const hub_broker_setup *setup)
{
    hub_text_printf(t,
                    "plugin_opt_dps_host %s\n"
                    "plugin_opt_dps_assigning %u\n"
                    "plugin_opt_dps_retry_after %u\n"
                    "plugin_opt_cert_life %u\n",
                    setup->dps_host, setup->dps_assigning, setup->dps_retry_after_s,
                    setup->certificate_life_s);
}

/* The broker reads its configuration from memory, so that it can start on a full disk. */
static int write_config(const hub_broker_setup *setup, const char *plugin, int ready_fd, int people)
{
    hub_text t = { 0 };

    hub_text_str(&t, "# Written by hub_emulator at each start.\n"
                     "allow_anonymous false\n"
                     "allow_zero_length_clientid false\n"
                     "persistence false\n"
                     "sys_interval 0\n"
                     "max_inflight_messages 20\n"
                     "max_packet_size 393216\n"
                     "log_dest stderr\n"
                     "log_timestamp false\n"
                     "log_type error\n"
                     "log_type warning\n"
                     "log_type notice\n");
    if (geteuid() == 0) {
        /* Otherwise the broker changes its user and cannot read the keys. */
        hub_text_str(&t, "user root\n");
    }
    hub_text_printf(&t,
                    "plugin %s\n"
                    "plugin_opt_ready_fd %d\n"
                    "plugin_opt_log_fd %d\n"
                    "plugin_opt_notice_fd %d\n"
                    "plugin_opt_calls_fd %d\n"
                    "plugin_opt_front_secret %s\n"
                    "plugin_opt_notes_fd %d\n",
                    plugin, ready_fd, setup->verbose ? people : -1, people, setup->calls_fd,
                    setup->front_secret, setup->notes_fd);
    if (setup->dps_host != NULL) {
        add_dps(&t, setup);
    }
    /* A socket for the clients of the front, and for the plugin's own logins. */
    hub_text_str(&t, "listener 0 " HUB_SESSIONS_SOCKET "\n"
                     "max_qos 1\n");
    int fd = memfd_create("mosquitto.conf", 0);
    if (fd >= 0 && write(fd, t.p, t.len) != (ssize_t)t.len) {
        (void)close(fd);
        fd = -1;
    }
    hub_text_free(&t);
    return fd;
}

/* Runs in the child process: only async-signal-safe calls are allowed until exec. */
static void run_broker(const char *program, const char *dir, int log_fd, const char *config,
                       pid_t launcher)
{
    sigset_t none;
    int null = open("/dev/null", O_RDWR);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != launcher || chdir(dir) != 0 || null < 0) {
        _exit(127);
    }
    (void)setpgid(0, 0); /* a process group of its own, so that Ctrl-C reaches only the launcher */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)dup2(null, STDIN_FILENO);
    (void)dup2(null, STDOUT_FILENO);
    (void)dup2(log_fd, STDERR_FILENO);
    (void)execl(program, "mosquitto", "-c", config, (char *)NULL);
    _exit(127);
}

/* O_APPEND, so that writes after a truncation start at the beginning again. */
static int make_log(void)
{
    int fd = memfd_create("mosquitto log", MFD_CLOEXEC);

    if (fd >= 0) {
        (void)fcntl(fd, F_SETFL, O_APPEND);
    }
    return fd;
}

static hub_result launch(hub_broker_process *b, const hub_broker_setup *setup, const char *program,
                         const char *plugin, hub_fault *fault)
{
    int ready[2];
    char config[40];
    int people = fcntl(STDERR_FILENO, F_DUPFD, 3);
    pid_t launcher = getpid();

    if (pipe(ready) != 0) {
        return hub_fail(fault, HUB_ERR_STATE, "pipe: %s", strerror(errno));
    }
    (void)fcntl(ready[0], F_SETFD, FD_CLOEXEC);
    int config_fd = write_config(setup, plugin, ready[1], people);
    (void)snprintf(config, sizeof config, "/proc/self/fd/%d", config_fd);
    b->log_fd = make_log();
    b->pid = b->log_fd >= 0 && config_fd >= 0 ? fork() : -1;
    hub_result r =
        b->pid >= 0 ? HUB_OK : hub_fail(fault, HUB_ERR_STATE, "fork: %s", strerror(errno));
    if (b->pid == 0) {
        run_broker(program, setup->state_dir, b->log_fd, config, launcher);
    }
    (void)close(ready[1]);
    (void)close(config_fd);
    (void)close(people);
    b->ready_fd = ready[0];
    return r;
}

hub_result hub_broker_start(hub_broker_process *b, const hub_broker_setup *setup, hub_fault *fault)
{
    char *program = find_mosquitto(setup->mosquitto);
    char *plugin = find_plugin();
    hub_result r;

    *b = (hub_broker_process){ .pid = -1, .ready_fd = -1, .log_fd = -1 };
    if (program == NULL) {
        r = hub_fail(fault, HUB_ERR_STATE, "%s: no such program; install the package mosquitto",
                     setup->mosquitto != NULL ? setup->mosquitto : "mosquitto");
    } else if (plugin == NULL) {
        r = hub_fail(fault, HUB_ERR_STATE, PLUGIN " is not beside the program");
    } else {
        r = launch(b, setup, program, plugin, fault);
    }
    free(program);
    free(plugin);
    return r;
}

bool hub_broker_said_ready(hub_broker_process *b)
{
    char c = 0;
    ssize_t n = read(b->ready_fd, &c, 1);

    (void)close(b->ready_fd);
    b->ready_fd = -1;
    return n == 1 && c == 'R';
}

static bool ended(hub_broker_process *b)
{
    return waitpid(b->pid, &b->status, WNOHANG) != 0;
}

void hub_broker_stop(hub_broker_process *b)
{
    const struct timespec pause = { .tv_nsec = STOP_NS };

    if (b->pid > 0 && !ended(b)) {
        (void)kill(b->pid, SIGTERM);
        int tries = 0;
        while (tries++ < STOP_TRIES && !ended(b)) {
            (void)nanosleep(&pause, NULL);
        }
        if (tries > STOP_TRIES) {
            (void)kill(b->pid, SIGKILL);
            (void)waitpid(b->pid, &b->status, 0);
        }
    }
    b->pid = -1;
    if (b->ready_fd >= 0) {
        (void)close(b->ready_fd);
    }
    b->ready_fd = -1;
}

static char *describe_end(int status)
{
    return WIFSIGNALED(status) ? hub_format("ended by signal %d", WTERMSIG(status))
                               : hub_format("ended with exit status %d", WEXITSTATUS(status));
}

char *hub_broker_last_error(const hub_broker_process *b)
{
    static const char mark[] = "Error: ";
    struct stat info;
    char *best = NULL;

    if (fstat(b->log_fd, &info) != 0) {
        return hub_strdup("it says nothing");
    }
    char *text = hub_calloc(1, (size_t)info.st_size + 1);
    if (pread(b->log_fd, text, (size_t)info.st_size, 0) > 0) {
        for (char *at = strstr(text, mark); at != NULL; at = strstr(at + 1, mark)) {
            best = at + sizeof mark - 1;
        }
    }
    char *line = best != NULL ? hub_memdup(best, strcspn(best, "\n")) : describe_end(b->status);
    free(text);
    return line;
}
