#ifndef MADE_REQUESTS_H
#define MADE_REQUESTS_H

/** @file Certificate signing requests, made for a test. A failure aborts the program. */

#include <stdbool.h>

typedef enum made_request_key {
    MADE_P256 = 0,
    MADE_P384,
    MADE_P521,
    MADE_ED25519,
    MADE_RSA_2048,
    MADE_RSA_1024
} made_request_key;

typedef struct made_request_plan {
    const char *name;     /* common name; NULL: none */
    made_request_key key; /* kind of the new key */
    bool wrong_signature;
    bool pem; /* true: PEM; false: DER in base64 */
} made_request_plan;

/** Returns the request as text, on the heap. */
char *made_request(const made_request_plan *plan);

#endif
