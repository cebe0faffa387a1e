/* The board's program. The emulator's command line says what it does:
 *
 *   publish HOST PORT           sends two messages to an MQTT broker
 *   conformance HOST PORT PORT  checks clock and network with platform/conformance_peer.py on the
 *                               first port; nobody listens on the second one
 *   fault                       executes an undefined instruction, to show what a hard fault prints
 *   overflow                    pushes until the stack is full
 */
#include <platform/conformance.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../two_messages.h"
#include "board.h"
#include "network.h"

enum { ADDRESS_PATIENCE_MS = 10000, WORDS = 5 };

/* Splits a line at its spaces; missing words are empty. */
static void split(char *line, const char *words[WORDS])
{
    char *rest = line;

    for (int i = 0; i < WORDS; i++) {
        words[i] = rest;
        rest += strcspn(rest, " ");
        if (*rest == ' ') {
            *rest++ = '\0';
        }
    }
}

static void print(void *user, const char *text)
{
    (void)user;
    printf("%s\n", text);
}

static uint16_t port_of(const char *word)
{
    return (uint16_t)strtoul(word, NULL, 10);
}

static bool check_port(const plat_platform *platform, const char *words[WORDS])
{
    const plat_conformance_peer peer = {
        .host = words[2],
        .port = port_of(words[3]),
        .refused_port = port_of(words[4]),
    };
    const plat_conformance c = { .platform = platform, .print = print, .peer = &peer };

    return plat_conformance_run(&c) == 0;
}

/* Runs a command that needs the network. */
static int run(const char *words[WORDS])
{
    plat_platform platform = { .clock = &board_clock };

    platform.net = network_start(ADDRESS_PATIENCE_MS);
    if (platform.net == NULL) {
        printf("no network: there is no LAN9118, or no DHCP server has answered\n");
        return BOARD_EXIT_NO_NETWORK;
    }
    if (strchr(words[2], ':') != NULL && !network_wait_ip6(ADDRESS_PATIENCE_MS)) {
        printf("no IPv6: no router has answered\n");
        return BOARD_EXIT_NO_NETWORK;
    }
    printf("network is up\n");
    const bool ok = strcmp(words[1], "publish") == 0
                        ? two_messages(&platform, words[2], port_of(words[3]))
                        : check_port(&platform, words);
    printf("stack: at most %u bytes were used\n", (unsigned)board_stack_peak());
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(void)
{
    static char line[256];
    const char *words[WORDS]; /* the first one is the name of the image */

    setvbuf(stdout, NULL, _IONBF, 0);
    if (!board_command_line(line, sizeof line)) {
        printf("the command line is missing or too long\n");
        return EXIT_FAILURE;
    }
    split(line, words);
    if (strcmp(words[1], "fault") == 0) {
        __asm__ volatile("udf #0");
    }
    if (strcmp(words[1], "overflow") == 0) {
        __asm__ volatile(
            "1: push {r0-r7}\n b 1b"); /* a compiler would make a loop of a recursion */
    }
    if (strcmp(words[1], "publish") == 0 || strcmp(words[1], "conformance") == 0) {
        return run(words);
    }
    printf("unknown command; the commands are publish, conformance, fault and overflow\n");
    return EXIT_FAILURE;
}
