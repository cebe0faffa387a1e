#ifndef PLAT_CURL_BIND_H
#define PLAT_CURL_BIND_H

/** @file Binds the connections of libcurl to an interface or address. */

#include <curl/curl.h>

/** Binds the connections of a handle as plat_stream_config.bind says; libcurl copies the text. */
CURLcode plat_curl_bind(CURL *easy, const char *bind);

#endif
