#ifndef IOTHUB_SESSION_VALID_H
#define IOTHUB_SESSION_VALID_H

/**
 * @file
 * The valid check of the session, which includes all its parts.
 */

#include "connection/session.h"

/**
 * Checks what only session.c is responsible for. Debug builds call it in each turn and at each
 * entry.
 */
bool session_valid(const iothub_session *s);

#endif
