#include "broker/broker_log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static void take_lines(char *text, hub_broker_log_take take, void *user)
{
    for (char *line = text; *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        take(user, line);
        line = end != NULL ? end + 1 : line + strlen(line);
    }
}

void hub_broker_log_drain(int fd, hub_broker_log_take take, void *user)
{
    struct stat info;

    if (fstat(fd, &info) != 0 || info.st_size == 0) {
        return;
    }
    char *text = hub_calloc(1, (size_t)info.st_size + 1);
    ssize_t n = pread(fd, text, (size_t)info.st_size, 0);
    if (n > 0 && ftruncate(fd, 0) == 0) {
        take_lines(text, take, user);
    }
    free(text);
}
