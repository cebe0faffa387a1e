#include "failure/failure_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void plat_failure_text_set(char **detail, const char *format, ...)
{
    char text[PLAT_FAILURE_TEXT_MAX + 1];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    plat_failure_text_drop(detail);
    *detail = strdup(text);
}

const char *plat_failure_text_get(const char *detail)
{
    return detail != NULL ? detail : "there is no memory left to explain the failure";
}

void plat_failure_text_drop(char **detail)
{
    free(*detail);
    *detail = NULL;
}
