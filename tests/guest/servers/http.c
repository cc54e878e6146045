// An HTTP server on descriptor 3, by accept, recv, send and shutdown of the C library: one connection after the other,
// with several requests on each. /quit ends it.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kListener = 3, kMost = 65536 };

static char request[kMost + 1];

// The next request's head and body, or -1 at the end. Their sizes in `head` and `body`.
static int receive(int connection, size_t *used, size_t *head, size_t *body) {
  while (1) {
    request[*used] = '\0';
    char *end = strstr(request, "\r\n\r\n");
    if (end != NULL) {
      *head = (size_t)(end + 4 - request);
      const char *length = strcasestr(request, "\r\nContent-Length:");
      *body = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
      if (*head + *body > kMost) return -1;
      break;
    }
    if (*used == kMost) return -1;
    ssize_t got = recv(connection, request + *used, kMost - *used, 0);
    if (got < 0) perror("recv");
    if (got <= 0) return -1;
    *used += (size_t)got;
  }
  if (*used < *head + *body) {
    size_t missing = *head + *body - *used;
    // First seen, then taken, the rest of it at once.
    if (recv(connection, request + *used, 1, MSG_PEEK) != 1) return -1;
    if (recv(connection, request + *used, missing, MSG_WAITALL) != (ssize_t)missing) return -1;
    *used += missing;
  }
  return 0;
}

static int answer(int connection, const char *status, const char *text, size_t size) {
  char head[200];
  int length = snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
                        status, size);
  if (send(connection, head, (size_t)length, 0) != length) return -1;
  return send(connection, text, size, 0) == (ssize_t)size ? 0 : -1;
}

int main(void) {
  const char *count = getenv("LISTEN_FDS");
  if (count == NULL || atoi(count) != 1) return 2;
  static char large[1 << 20];
  for (size_t i = 0; i < sizeof(large); ++i) large[i] = (char)('a' + i % 26);
  int quits = 0;
  while (!quits) {
    int connection = accept(kListener, NULL, NULL);
    if (connection < 0) {
      perror("accept");
      return 1;
    }
    size_t used = 0;
    size_t head = 0;
    size_t body = 0;
    while (!quits && receive(connection, &used, &head, &body) == 0) {
      int failed;
      if (strncmp(request, "GET /hello ", 11) == 0) {
        failed = answer(connection, "200 OK", "hello from C\n", 13);
      } else if (strncmp(request, "GET /large ", 11) == 0) {
        failed = answer(connection, "200 OK", large, sizeof(large));
      } else if (strncmp(request, "POST /echo ", 11) == 0) {
        failed = answer(connection, "200 OK", request + head, body);
      } else if (strncmp(request, "GET /quit ", 10) == 0) {
        failed = answer(connection, "200 OK", "bye\n", 4);
        quits = 1;
      } else {
        failed = answer(connection, "404 Not Found", "nothing here\n", 13);
      }
      if (failed) break;
      used -= head + body;
      memmove(request, request + head + body, used);
    }
    shutdown(connection, SHUT_RDWR);
    close(connection);
  }
  return 0;
}
