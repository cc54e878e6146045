// A component of Spin: what it does depends on the last part of the path.
#include <stdio.h>

#include "../wit.h"

// Results of imports: expected<value, error>.
typedef struct {
  uint8_t is_error;
  _Alignas(4) union {
    uint32_t number;
    text_t text;
    response_t response;
    struct {
      uint8_t which;
      _Alignas(4) text_t text;
    } error;
  };
} result_t;

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
IMPORT("spin-config", "get-config") void get_config(const char* key, size_t size, result_t* result);
IMPORT("key-value", "open") void open_store(const char* name, size_t size, result_t* result);
IMPORT("key-value", "get") void get_value(uint32_t store, const char* key, size_t size, result_t* result);
IMPORT("key-value", "set")
void set_value(uint32_t store, const char* key, size_t size, const char* value, size_t value_size, result_t* result);
IMPORT("wasi-outbound-http", "request")
void send_request(int32_t method, const char* uri, size_t uri_size, const field_t* headers, size_t header_count,
                  const field_t* params, size_t param_count, int32_t has_body, const char* body, size_t body_size,
                  result_t* result);

static char text_buffer[65536];

static text_t config(const char* key) {
  result_t result;
  get_config(key, strlen(key), &result);
  return result.is_error ? result.error.text : result.text;
}

static text_t read_file(const char* path) {
  FILE* const file = fopen(path, "r");
  if (file == NULL) return text_of("no file");
  const size_t size = fread(text_buffer, 1, sizeof(text_buffer), file);
  fclose(file);
  return (text_t){text_buffer, size};
}

// Counts up what a store has, and says it.
static text_t count(void) {
  result_t result;
  open_store("default", 7, &result);
  if (result.is_error) return text_of("no store");
  const uint32_t store = result.number;
  char digit = '0';
  get_value(store, "count", 5, &result);
  if (!result.is_error) digit = result.text.data[0];
  ++digit;
  set_value(store, "count", 5, &digit, 1, &result);
  snprintf(text_buffer, sizeof(text_buffer), "%c", digit);
  return text_of(text_buffer);
}

static response_t fetch(text_t uri) {
  result_t result;
  send_request(GET, uri.data, uri.size, NULL, 0, NULL, 0, 0, NULL, 0, &result);
  if (!result.is_error) return result.response;
  snprintf(text_buffer, sizeof(text_buffer), "error %d", result.error.which);
  return respond(502, text_of(text_buffer));
}

// Everything that the component was told.
static text_t describe(const request_t* request) {
  int size = snprintf(text_buffer, sizeof(text_buffer), "method %d\nuri %.*s\n", request->method,
                      (int)request->uri.size, request->uri.data);
  for (size_t i = 0; i < request->headers.count; ++i) {
    const field_t* const field = &request->headers.data[i];
    size += snprintf(text_buffer + size, sizeof(text_buffer) - (size_t)size, "%.*s: %.*s\n", (int)field->name.size,
                     field->name.data, (int)field->value.size, field->value.data);
  }
  size += snprintf(text_buffer + size, sizeof(text_buffer) - (size_t)size, "body %.*s\n", (int)request->body.size,
                   request->body.data);
  return text_of(text_buffer);
}

static response_t answer(const request_t* request) {
  const char* name = "";
  char uri[256];
  snprintf(uri, sizeof(uri), "%.*s", (int)request->uri.size, request->uri.data);
  uri[strcspn(uri, "?")] = '\0';
  for (char* c = uri; *c != '\0'; ++c) {
    if (*c == '/') name = c + 1;
  }
  if (strcmp(name, "file") == 0) return respond(200, read_file("/assets/file.txt"));
  if (strcmp(name, "pattern") == 0) return respond(200, read_file("/static/shown.txt"));
  if (strcmp(name, "excluded") == 0) return respond(200, read_file("/static/hidden.txt"));
  if (strcmp(name, "write") == 0) return respond(200, text_of(fopen("/assets/new", "w") ? "written" : "read-only"));
  if (strcmp(name, "environment") == 0) return respond(200, text_of(getenv("GREETING") ? getenv("GREETING") : "none"));
  if (strcmp(name, "config") == 0) return respond(200, config("greeting"));
  if (strcmp(name, "count") == 0) return respond(200, count());
  if (strcmp(name, "fetch") == 0) return fetch(request->body);
  if (strcmp(name, "describe") == 0) return respond(200, describe(request));
  if (strcmp(name, "large") == 0) return respond(200, (text_t){(char*)0x10000, 0x7FFFFFFF});
  if (strcmp(name, "log") == 0) {
    puts("from the component");
    fflush(stdout);
    return respond(200, text_of("logged\n"));
  }
  if (strcmp(name, "abort") == 0) abort();
  if (strcmp(name, "loop") == 0) {
    for (volatile int i = 0;; i = i + 1) {
    }
  }
  static field_t type = {{"content-type", 12}, {"text/plain", 10}};
  return (response_t){
      .status = 200, .has_headers = 1, .headers = {&type, 1}, .has_body = 1, .body = text_of("Hello from Spin\n")};
}

__attribute__((export_name("handle-http-request"))) const response_t* handle_http_request(REQUEST_PARAMETERS) {
  static response_t response;
  const request_t request = REQUEST;
  response = answer(&request);
  return &response;
}
