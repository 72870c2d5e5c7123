// The one door to libcurl: curl_easy_setopt(3) and curl_easy_getinfo(3) are variadic, which Swift cannot call, so each
// kind of argument gets a typed wrapper. Header only; nothing is compiled here.
#pragma once
#include <curl/curl.h>

// CURL_GLOBAL_DEFAULT is an expression of macros, invisible to Swift.
static inline CURLcode wan_curl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

static inline CURLcode wan_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
// libcurl copies the string (all but CURLOPT_POSTFIELDS, which has its own wrapper).
static inline CURLcode wan_curl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}
// CURLOPT_COPYPOSTFIELDS copies; the size must have been set before it (curl(3)).
static inline CURLcode wan_curl_set_body(CURL *handle, const void *bytes, long size) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, size);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, bytes);
}
// The list must outlive the transfer.
static inline CURLcode wan_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *list) {
    return curl_easy_setopt(handle, option, list);
}
// CURLOPT_WRITEFUNCTION or CURLOPT_HEADERFUNCTION with its …DATA.
static inline CURLcode wan_curl_set_writer(
    CURL *handle, CURLoption function_option, CURLoption data_option, curl_write_callback function, void *data) {
    CURLcode code = curl_easy_setopt(handle, function_option, function);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, data_option, data);
}
// CURL_ERROR_SIZE bytes that outlive the transfer.
static inline CURLcode wan_curl_set_error_buffer(CURL *handle, char *buffer) {
    return curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, buffer);
}
static inline CURLcode wan_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}
