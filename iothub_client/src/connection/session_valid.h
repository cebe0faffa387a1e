#ifndef IOTHUB_SESSION_VALID_H
#define IOTHUB_SESSION_VALID_H

/** @file The check of the session, which looks at all its parts. */

#include "connection/session.h"

/** What session.c alone is responsible for; debug builds look in each turn and call. */
bool session_valid(const iothub_session *s);

#endif
