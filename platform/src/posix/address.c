#include "posix/address.h"

#include <arpa/inet.h>
#include <stddef.h>

socklen_t plat_address_len(const plat_address *a)
{
    return a->any.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4;
}

void plat_address_set_port(plat_address *a, uint16_t port)
{
    if (a->any.sa_family == AF_INET6) {
        a->v6.sin6_port = htons(port);
    } else {
        a->v4.sin_port = htons(port);
    }
}

const char *plat_address_text(const plat_address *a, char text[PLAT_ADDRESS_TEXT])
{
    const void *bytes = a->any.sa_family == AF_INET6 ? (const void *)&a->v6.sin6_addr
                                                     : (const void *)&a->v4.sin_addr;
    return inet_ntop(a->any.sa_family, bytes, text, PLAT_ADDRESS_TEXT) != NULL ? text : "?";
}
