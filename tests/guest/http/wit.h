// The interface of wit-bindgen 0.2 between guests and hosts of HTTP, by hand: what the SDKs of Spin and slight
// generated.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  char* data;
  size_t size;
} text_t;

typedef struct {
  text_t name;
  text_t value;
} field_t;

typedef struct {
  field_t* data;
  size_t count;
} fields_t;

enum method { GET, POST, PUT, DELETE, PATCH, HEAD, OPTIONS };

typedef struct {
  int method;
  text_t uri;
  fields_t headers;
  fields_t params;
  text_t body;
} request_t;

typedef struct {
  uint16_t status;
  _Alignas(4) uint8_t has_headers;
  fields_t headers;
  _Alignas(4) uint8_t has_body;
  text_t body;
} response_t;

_Static_assert(sizeof(response_t) == 28, "a response takes 28 bytes");
_Static_assert(offsetof(response_t, headers) == 8 && offsetof(response_t, body) == 20,
               "with its lists behind their tags");

__attribute__((export_name("canonical_abi_realloc"))) void* canonical_abi_realloc(void* old, size_t old_size,
                                                                                  size_t alignment, size_t size) {
  (void)old_size;
  if (size == 0) return (void*)alignment;
  void* const memory = realloc(old, size);
  if (memory == NULL) abort();
  return memory;
}

__attribute__((export_name("canonical_abi_free"))) void canonical_abi_free(void* memory, size_t size,
                                                                           size_t alignment) {
  (void)alignment;
  if (size != 0) free(memory);
}

static inline text_t text_of(const char* data) { return (text_t){(char*)data, strlen(data)}; }

static inline bool is_text(text_t text, const char* expected) {
  return text.size == strlen(expected) && memcmp(text.data, expected, text.size) == 0;
}

// The parameters of a handler, as they are passed.
#define REQUEST_PARAMETERS                                                                            \
  int32_t method, char *uri, size_t uri_size, field_t *headers, size_t header_count, field_t *params, \
      size_t param_count, int32_t has_body, char *body, size_t body_size
#define REQUEST                         \
  ((request_t){method,                  \
               {uri, uri_size},         \
               {headers, header_count}, \
               {params, param_count},   \
               {has_body ? body : NULL, has_body ? body_size : 0}})

static inline response_t respond(uint16_t status, text_t body) {
  return (response_t){.status = status, .has_body = 1, .body = body};
}
