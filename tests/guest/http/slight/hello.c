// An application of slight: main says which functions answer which routes. Built for the interface of 0.1 and 0.2
// (module "http") or with -DLATE for that of 0.3 to 0.5 ("http-server").
#include <stdio.h>

#include "../wit.h"

#ifdef LATE
#define HTTP "http-server"
#define KV "keyvalue"
#else
#define HTTP "http"
#define KV "kv"
#endif

// Results: expected<value, error>, of imports and of handlers.
typedef struct {
  uint8_t is_error;
  _Alignas(4) union {
    int32_t handle;
    text_t text;
    response_t response;
    struct {
      uint8_t which;
      _Alignas(4) text_t text;
    } error;
  };
} result_t;

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
IMPORT(HTTP, "router::new") void router_new(result_t* result);
IMPORT(HTTP, "router::get")
void router_get(int32_t router, const char* route, size_t route_size, const char* handler, size_t handler_size,
                result_t* result);
IMPORT(HTTP, "router::put")
void router_put(int32_t router, const char* route, size_t route_size, const char* handler, size_t handler_size,
                result_t* result);
IMPORT(HTTP, "router::post")
void router_post(int32_t router, const char* route, size_t route_size, const char* handler, size_t handler_size,
                 result_t* result);
IMPORT(HTTP, "server::serve")
void server_serve(const char* address, size_t size, int32_t router, result_t* result);
IMPORT("canonical_abi", "resource_drop_router") void drop_router(int32_t router);
IMPORT("canonical_abi", "resource_drop_server") void drop_server(int32_t server);
IMPORT(KV, KV "::open") void kv_open(const char* name, size_t size, result_t* result);
IMPORT(KV, KV "::get") void kv_get(int32_t store, const char* key, size_t size, result_t* result);
IMPORT(KV, KV "::set")
void kv_set(int32_t store, const char* key, size_t size, const char* value, size_t value_size, result_t* result);
IMPORT("canonical_abi", "resource_drop_" KV) void drop_kv(int32_t store);

typedef void (*add_route)(int32_t, const char*, size_t, const char*, size_t, result_t*);

static int32_t with_route(int32_t router, add_route add, const char* route, const char* handler) {
  result_t result;
  add(router, route, strlen(route), handler, strlen(handler), &result);
  if (result.is_error) {
    fprintf(stderr, "%.*s\n", (int)result.error.text.size, result.error.text.data);
    exit(1);
  }
  drop_router(router);
  return result.handle;
}

#ifdef LATE
__attribute__((export_name("on-server-init"))) const result_t* on_server_init(void) {
  static result_t done;
#else
int main(void) {
#endif
  result_t result;
  router_new(&result);
  int32_t router = with_route(result.handle, router_get, "/hello", "handle_hello");
  router = with_route(router, router_get, "/person/:name", "handle_person");
  router = with_route(router, router_get, "/get", "handle_get");
  router = with_route(router, router_put, "/set", "handle_set");
  router = with_route(router, router_post, "/fail", "handle_fail");
  puts("guest starting server");
  server_serve("0.0.0.0:80", 10, router, &result);
  if (result.is_error) abort();
  drop_server(result.handle);
  puts("guest moving on");
  fflush(stdout);
#ifdef LATE
  return &done;
#else
  return 0;
#endif
}

static result_t ok(response_t response) { return (result_t){.is_error = 0, .response = response}; }

#define HANDLER                      \
  static result_t result;            \
  const request_t request = REQUEST; \
  (void)request

__attribute__((export_name("handle-hello"))) const result_t* handle_hello(REQUEST_PARAMETERS) {
  HANDLER;
  result = ok(respond(200, text_of("hello")));
  // As the samples of slight do: the headers of the request, which say nothing of the response.
  result.response.has_headers = 1;
  result.response.headers = request.headers;
  return &result;
}

__attribute__((export_name("handle-person"))) const result_t* handle_person(REQUEST_PARAMETERS) {
  HANDLER;
  static char text[256];
  snprintf(text, sizeof(text), "hello: %.*s", (int)request.params.data[0].value.size,
           request.params.data[0].value.data);
  result = ok(respond(200, text_of(text)));
  return &result;
}

__attribute__((export_name("handle-get"))) const result_t* handle_get(REQUEST_PARAMETERS) {
  HANDLER;
  result_t stored;
  kv_open("my-container", 12, &stored);
  const int32_t store = stored.handle;
  kv_get(store, "key", 3, &stored);
  result = ok(stored.is_error ? respond(404, text_of("no such key")) : respond(200, stored.text));
  drop_kv(store);
  return &result;
}

__attribute__((export_name("handle-set"))) const result_t* handle_set(REQUEST_PARAMETERS) {
  HANDLER;
  result_t stored;
  kv_open("my-container", 12, &stored);
  const int32_t store = stored.handle;
  kv_set(store, "key", 3, request.body.data, request.body.size, &stored);
  result = ok(respond(stored.is_error ? 500 : 204, text_of("")));
  drop_kv(store);
  return &result;
}

__attribute__((export_name("handle-fail"))) const result_t* handle_fail(REQUEST_PARAMETERS) {
  HANDLER;
  result.is_error = 1;
  result.error.which = 0;
  result.error.text = text_of("it was to fail");
  return &result;
}
