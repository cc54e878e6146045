// One client's connection: reads requests, one at a time, has them answered, and writes the responses in order.
//
// It is always waiting for something, and for everything it waits for there is a time by which that must have happened:
// due(). All on the loop's thread.
#pragma once

#include <uv.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tools/serve/exchange.h"
#include "tools/serve/request_parser.h"

namespace wasirun::serve {

class HttpListener;

struct ConnectionLimits {
  ParseLimits parse;
  std::chrono::milliseconds request_time{30'000};  // for a request to come, header and body: 408
  std::chrono::milliseconds idle_time{75'000};     // between requests
  std::chrono::milliseconds answer_time{30'000};   // for the handler to answer, and some more: 504
};

class Connection {
 public:
  // Takes a connection that waits at the listener; null where there is none.
  static Connection* accept(HttpListener& listener, uv_stream_t& server, uv_handle_type type);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // When what it waits for must have happened, as uv_now() counts; and what is done where it has not.
  [[nodiscard]] std::uint64_t due() const { return due_; }
  void on_due();
  // The next response is the last one; without a request under way it ends now.
  void drain();
  // Ends it whatever it does; the client is told nothing.
  void abort();

 private:
  friend class Exchange;
  enum class State : std::uint8_t {
    idle,       // between requests
    receiving,  // has some of one
    answering,  // somebody has it
    writing,    // the response
    lingering,  // the last response is out; what the client still sends is thrown away, so that it gets to read it
    closed,
  };

  Connection(HttpListener& listener, uv_handle_type type);
  ~Connection() = default;

  void set_state(State state, std::uint64_t milliseconds);
  void start_reading();
  void on_read(ssize_t count, std::string_view bytes);
  void on_bytes(std::string_view bytes);
  // Parses and hands on as much as can be; what is left is kept.
  void take_requests(std::string_view bytes);
  void hand_on();
  void refuse(Refusal refusal);
  void respond(Exchange& exchange, HttpResponse response);
  void send(std::string head, std::string body);
  void on_sent(bool is_complete);
  void finish_exchange(std::uint16_t status, std::uint64_t body_bytes);
  void linger();
  void close();

  static void allocate(uv_handle_t* handle, std::size_t suggested, uv_buf_t* buffer);
  static void read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);

  union Handle {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };

  HttpListener& listener_;
  Handle handle_{};
  State state_ = State::idle;
  bool reads_ = false;
  bool peer_is_done_ = false;  // it has sent all that it will
  bool keeps_alive_ = true;
  bool is_taking_ = false;  // take_requests() runs
  std::uint64_t due_ = 0;
  bool has_unread_ = false;     // whether the client may still send what nobody reads
  std::uint64_t lingered_ = 0;  // bytes thrown away
  std::size_t unsent_ = 0;      // of the response, when it was looked at last
  std::string ahead_;           // what came behind the request that is being answered, or does not suffice for one
  std::string remote_address_;
  std::string local_address_;
  std::uint16_t remote_port_ = 0;
  std::uint16_t local_port_ = 0;
  RequestParser parser_;
  MemoryBudget::Share share_;           // of the body that comes, or that is sent
  std::shared_ptr<Exchange> exchange_;  // under way
  uv_write_t write_{};
  uv_shutdown_t shutdown_{};
  std::string head_;  // while they are written
  std::string body_;
  std::uint16_t sent_status_ = 0;
};

}  // namespace wasirun::serve
