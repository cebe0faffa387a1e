#include "wolfssl_trust.h"

#include <string.h>
#include <time.h>

bool plat_date_is_past(const char *date, int64_t now_s)
{
    const time_t now = (time_t)now_s;
    struct tm tm;
    char text[PLAT_DATE_SIZE];
    return gmtime_r(&now, &tm) == NULL || strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &tm) == 0 ||
           strcmp(text, date) > 0;
}
