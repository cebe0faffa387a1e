#include "network.h"

#include <string.h>

#include <lwip/dhcp.h>
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/sys.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#include "board.h"
#include "lan9118.h"

enum { FRAME_MAX = 1514, MTU = 1500 };

static struct netif interface;
/* Frames on their way between the controller, which wants whole words, and the buffers of lwIP. */
static uint32_t frame[(FRAME_MAX + 3) / 4];

/* lwIP's clock, which may wrap around. */
uint32_t sys_now(void)
{
    return (uint32_t)board_clock.monotonic_ms(&board_clock);
}

uint32_t board_random(void)
{
    uint32_t out;

    if (!board_entropy(&out, sizeof out)) {
        board_exit(BOARD_EXIT_NO_NETWORK); /* guessable ports would be worse than none */
    }
    return out;
}

static err_t send_frame(struct netif *netif, struct pbuf *p)
{
    (void)netif;
    if (p->tot_len > FRAME_MAX) {
        return ERR_BUF;
    }
    pbuf_copy_partial(p, frame, p->tot_len, 0);
    return lan9118_send(frame, p->tot_len) ? ERR_OK : ERR_MEM;
}

static void receive_frame(size_t len)
{
    if (len > FRAME_MAX) {
        lan9118_read(NULL, len);
        return;
    }
    lan9118_read(frame, len);
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_POOL);
    if (p == NULL) {
        return; /* the peer sends it again */
    }
    pbuf_take(p, frame, (u16_t)len);
    if (interface.input(p, &interface) != ERR_OK) {
        pbuf_free(p);
    }
}

static void receive(void *user)
{
    size_t len;

    (void)user;
    while (len = lan9118_received(), len > 0) {
        receive_frame(len);
    }
}

static void sleep_ms(void *user, uint32_t ms)
{
    (void)user;
    (void)ms; /* SysTick ends each sleep */
    board_sleep();
}

static err_t start_interface(struct netif *netif)
{
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->mtu = MTU;
    netif->hwaddr_len = ETH_HWADDR_LEN;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
                   NETIF_FLAG_LINK_UP | NETIF_FLAG_MLD6;
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = send_frame;
    return lan9118_init(netif->hwaddr) ? ERR_OK : ERR_IF;
}

static plat_lwip_net network = { .clock = &board_clock, .receive = receive, .sleep = sleep_ms };

/* Lets the network work until it has an address. Returns false if it has none in time. */
static bool wait_for(bool (*has_address)(void), uint32_t patience_ms)
{
    const uint32_t start = sys_now();

    while (!has_address()) {
        if (sys_now() - start >= patience_ms) {
            return false;
        }
        receive(NULL);
        sys_check_timeouts();
        board_sleep();
    }
    return true;
}

static bool has_ip4(void)
{
    return dhcp_supplied_address(&interface) != 0;
}

/* Address 0 is that of the link, which reaches no other network. */
static bool has_ip6(void)
{
    for (s8_t i = 1; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        if (ip6_addr_ispreferred(netif_ip6_addr_state(&interface, i))) {
            return true;
        }
    }
    return false;
}

bool network_wait_ip6(uint32_t patience_ms)
{
    return wait_for(has_ip6, patience_ms);
}

const plat_net *network_start(uint32_t patience_ms)
{
    lwip_init();
    if (netif_add_noaddr(&interface, NULL, start_interface, ethernet_input) == NULL) {
        return NULL;
    }
    netif_set_default(&interface);
    netif_set_up(&interface);
    netif_create_ip6_linklocal_address(&interface, 1);
    interface.ip6_autoconfig_enabled = 1; /* the macro for it compares the address with NULL */
    plat_lwip_net_init(&network);
    if (dhcp_start(&interface) != ERR_OK) {
        return NULL;
    }
    return wait_for(has_ip4, patience_ms) ? &network.net : NULL;
}
