/* The board's program. The emulator's command line says what it does:
 *
 *   publish HOST PORT   sends two messages to an MQTT broker
 *   fault               executes an undefined instruction, to show what a hard fault prints
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../two_messages.h"
#include "board.h"
#include "network.h"

enum { DHCP_PATIENCE_MS = 10000, WORDS = 4 };

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

static int publish(const char *host, const char *port)
{
    plat_platform platform = { .clock = &board_clock };

    platform.net = network_start(DHCP_PATIENCE_MS);
    if (platform.net == NULL) {
        printf("no network: there is no LAN9118, or no DHCP server has answered\n");
        return BOARD_EXIT_NO_NETWORK;
    }
    printf("network is up\n");
    const bool sent = two_messages(&platform, host, (uint16_t)strtoul(port, NULL, 10));
    printf("stack: at most %u bytes were used\n", (unsigned)board_stack_peak());
    return sent ? EXIT_SUCCESS : EXIT_FAILURE;
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
    if (strcmp(words[1], "publish") == 0) {
        return publish(words[2], words[3]);
    }
    printf("unknown command; the commands are publish HOST PORT, and fault\n");
    return EXIT_FAILURE;
}
