#include "launcher/host.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define PATIENCE_S 2

/* Static, because the resolver's thread uses it and may run longer than the caller waits. */
static struct addrinfo hints;
static struct gaicb request;

static bool is_ours(const struct addrinfo *found, const hub_addresses *a)
{
    char text[INET6_ADDRSTRLEN] = "";
    const bool v4 = found->ai_family == AF_INET;
    const void *bytes = v4 ? (const void *)&((const struct sockaddr_in *)found->ai_addr)->sin_addr
                           : &((const struct sockaddr_in6 *)found->ai_addr)->sin6_addr;
    const char *wanted = v4 ? a->v4 : a->v6;

    if (strcmp(wanted, "0.0.0.0") == 0 || strcmp(wanted, "::") == 0) {
        return true;
    }
    (void)inet_ntop(found->ai_family, bytes, text, sizeof text);
    return strcmp(text, wanted) == 0;
}

bool hub_host_leads_here(const char *name, const hub_addresses *a)
{
    const struct timespec patience = { .tv_sec = PATIENCE_S };
    struct gaicb *list[] = { &request };
    const struct gaicb *wait[] = { &request };
    bool ours = false;

    hints = (struct addrinfo){ .ai_socktype = SOCK_STREAM };
    request = (struct gaicb){ .ar_name = name, .ar_request = &hints };
    if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) != 0 ||
        (gai_suspend(wait, 1, &patience) != 0 && gai_error(&request) == EAI_INPROGRESS) ||
        gai_error(&request) != 0) {
        return false;
    }
    for (const struct addrinfo *i = request.ar_result; i != NULL; i = i->ai_next) {
        ours = ours || ((i->ai_family == AF_INET || i->ai_family == AF_INET6) && is_ours(i, a));
    }
    freeaddrinfo(request.ar_result);
    return ours;
}
