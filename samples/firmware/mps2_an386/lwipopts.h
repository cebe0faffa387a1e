#ifndef LWIPOPTS_H
#define LWIPOPTS_H

/* lwIP on the board: no operating system, raw API only. */
#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0 /* no interrupt handler calls lwIP */
#define LWIP_NETCONN         0
#define LWIP_SOCKET          0
#define LWIP_IPV4            1
#define LWIP_IPV6            1
#define LWIP_DHCP            1
#define LWIP_DNS             1
#define LWIP_NETIF_HOSTNAME  0
#define LWIP_STATS           0

/* The controller's memory for received frames is 10.5 KB; a larger window would overrun it. */
#define TCP_MSS          1460
#define TCP_WND          (4 * TCP_MSS)
#define TCP_SND_BUF      (4 * TCP_MSS)
#define TCP_SND_QUEUELEN 16
#define MEMP_NUM_TCP_SEG 32
#define MEMP_NUM_TCP_PCB 4
#define PBUF_POOL_SIZE   12
#define MEM_ALIGNMENT    4
#define MEM_SIZE         (12 * 1024)

#endif
