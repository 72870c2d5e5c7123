#pragma once
#include <jansson.h>
// json_decref is a static inline function Swift cannot always see through its attributes.
static inline void wan_json_decref(json_t *value) { json_decref(value); }
