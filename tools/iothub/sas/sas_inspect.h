#ifndef SAS_SAS_INSPECT_H
#define SAS_SAS_INSPECT_H

/**
 * Explain a token on standard output.  With a key (base64; NULL: none) also say
 * whether the token was made with it; EXIT_FAILURE when it was not.
 */
int inspect_token(const char *token, const char *key);

#endif
