#include "hub/target.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command/commands.h"
#include "hub/rest.h"

#define WHITE_SPACE " \t\r\n\v\f"

static bool is_id_character(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("-.+%_#*?!(),=@$':", c) != NULL);
}

static bool copy_id(char *out, size_t cap, const char *from, size_t len)
{
    if (len == 0 || len >= cap) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_id_character(from[i])) {
            return false;
        }
    }
    memcpy(out, from, len);
    out[len] = '\0';
    return true;
}

/* Removes white space around the argument, which is often copied with the text. */
static size_t trim(const char **arg)
{
    size_t len;

    *arg += strspn(*arg, WHITE_SPACE);
    len = strlen(*arg);
    while (len > 0 && isspace((unsigned char)(*arg)[len - 1])) {
        len--;
    }
    return len;
}

void hub_target_read(struct argp_state *state, const char *arg, hub_target *target)
{
    size_t whole = trim(&arg);
    const char *slash = memchr(arg, '/', whole);
    size_t len = slash != NULL ? (size_t)(slash - arg) : whole;

    target->module[0] = '\0';
    if (strncasecmp(arg, "HostName=", 9) == 0) {
        cli_usage(state, "DEVICE must be a device id, not a connection string");
    }
    if (!copy_id(target->device, sizeof target->device, arg, len)) {
        cli_usage(state,
                  "DEVICE is not a device id: 1 to 128 letters, digits and -.+%%_#*?!(),=@$':");
    }
    if (slash != NULL &&
        !copy_id(target->module, sizeof target->module, slash + 1, whole - len - 1)) {
        cli_usage(state, "DEVICE/MODULE: MODULE is not a module id: 1 to 128 letters, digits and "
                         "-.+%%_#*?!(),=@$':");
    }
}

char *hub_target_path(const char *head, const hub_target *target, const char *tail)
{
    char *device = rest_escape(target->device);
    char *module = rest_escape(target->module);
    const char *between = target->module[0] != '\0' ? "/modules/" : "";
    char *path = NULL;

    if (device == NULL || module == NULL ||
        asprintf(&path, "%s%s%s%s%s", head, device, between, module, tail) < 0) {
        cli_error("out of memory");
        path = NULL;
    }
    free(device);
    free(module);
    return path;
}
