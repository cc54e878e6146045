#include "tools/shim/event_publisher.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "task.pb.h"

namespace wasirun::shim {

namespace {

constexpr std::size_t kMostEvents = 2048;
constexpr std::uint64_t kFirstDelay = 20;
constexpr std::uint64_t kLongestDelay = 2000;
constexpr std::int64_t kAnswerWithin = 5'000'000'000;  // told to containerd, in nanoseconds

template <class Handle>
void close_and_free(Handle* handle) {
  handle->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

uv_timer_t* make_timer(uv_loop_t* loop, void* data) {
  auto* const timer = new uv_timer_t;
  uv_timer_init(loop, timer);
  timer->data = data;
  return timer;
}

struct Write {
  uv_write_t request{};
  std::string bytes;
};

}  // namespace

EventPublisher::EventPublisher(uv_loop_t* loop, std::string_view address, std::string containerd_namespace)
    : loop_(loop),
      path_(address.starts_with("unix://") ? address.substr(7) : address),
      namespace_(std::move(containerd_namespace)),
      retry_timer_(make_timer(loop, this)),
      flush_timer_(make_timer(loop, this)) {}

EventPublisher::~EventPublisher() {
  disconnect();
  close_and_free(retry_timer_);
  close_and_free(flush_timer_);
}

void EventPublisher::publish(std::string_view topic, std::string_view type,
                             const google::protobuf::MessageLite& event) {
  if (path_.empty()) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  task::ForwardRequest forward;
  task::Envelope& envelope = *forward.mutable_envelope();
  envelope.mutable_timestamp()->set_seconds(seconds.count());
  envelope.mutable_timestamp()->set_nanos(static_cast<std::int32_t>(std::chrono::nanoseconds(now - seconds).count()));
  envelope.set_namespace_(namespace_);
  envelope.set_topic(std::string(topic));
  envelope.mutable_event()->set_type_url(std::string(type));
  event.SerializeToString(envelope.mutable_event()->mutable_value());

  rpc::Request request;
  request.set_service("containerd.services.events.ttrpc.v1.Events");
  request.set_method("Forward");
  forward.SerializeToString(request.mutable_payload());
  request.set_timeout_nano(kAnswerWithin);
  // The first may be on its way.
  if (queue_.size() == kMostEvents) queue_.erase(queue_.begin() + 1);
  queue_.push_back(request.SerializeAsString());
  if (is_connected_) {
    send_first();
  } else if (pipe_ == nullptr && uv_is_active(reinterpret_cast<uv_handle_t*>(retry_timer_)) == 0) {
    connect();
  }
}

void EventPublisher::connect() {
  pipe_ = new uv_pipe_t;
  uv_pipe_init(loop_, pipe_, 0);
  pipe_->data = this;
  auto* const request = new uv_connect_t;
  uv_pipe_connect(request, pipe_, path_.c_str(), [](uv_connect_t* done, int status) {
    auto* const self = static_cast<EventPublisher*>(done->handle->data);
    delete done;
    if (self == nullptr) return;  // given up meanwhile
    if (status != 0) return self->retry_later();
    self->is_connected_ = true;
    uv_read_start(
        reinterpret_cast<uv_stream_t*>(self->pipe_),
        [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
          auto& owner = *static_cast<EventPublisher*>(handle->data);
          *buffer = uv_buf_init(owner.piece_, sizeof(owner.piece_));
        },
        [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
          auto& owner = *static_cast<EventPublisher*>(stream->data);
          if (count < 0) return owner.retry_later();
          owner.receive({buffer->base, static_cast<std::size_t>(count)});
        });
    self->send_first();
  });
}

void EventPublisher::disconnect() {
  is_connected_ = is_waiting_ = false;
  reader_ = FrameReader();
  stream_ = 1;
  if (pipe_ != nullptr) close_and_free(std::exchange(pipe_, nullptr));
}

void EventPublisher::retry_later() {
  disconnect();
  if (queue_.empty()) return;
  delay_ = std::clamp(delay_ * 2, kFirstDelay, kLongestDelay);
  uv_timer_start(
      retry_timer_, [](uv_timer_t* timer) { static_cast<EventPublisher*>(timer->data)->connect(); }, delay_, 0);
}

void EventPublisher::send_first() {
  if (is_waiting_ || queue_.empty()) return;
  is_waiting_ = true;
  auto* const write = new Write;
  write->bytes = encode_frame(std::exchange(stream_, stream_ + 2), FrameType::request, queue_.front());
  write->request.data = write;
  const uv_buf_t buffer = uv_buf_init(write->bytes.data(), write->bytes.size());
  const auto done = [](uv_write_t* request, int) { delete static_cast<Write*>(request->data); };
  if (uv_write(&write->request, reinterpret_cast<uv_stream_t*>(pipe_), &buffer, 1, done) != 0) {
    delete write;
    retry_later();
  }
}

void EventPublisher::receive(std::string_view bytes) {
  reader_.feed(bytes);
  while (const auto frame = reader_.next()) {
    if (frame->type != static_cast<std::uint8_t>(FrameType::response) || !is_waiting_) continue;
    // An answer is an answer: one that refuses the event would refuse it again.
    is_waiting_ = false;
    delay_ = 0;
    queue_.pop_front();
  }
  send_first();
  if (queue_.empty()) finish_flush();
}

void EventPublisher::flush(std::uint64_t milliseconds, std::function<void()> done) {
  flushed_ = std::move(done);
  if (queue_.empty()) return finish_flush();
  uv_timer_start(
      flush_timer_, [](uv_timer_t* timer) { static_cast<EventPublisher*>(timer->data)->finish_flush(); }, milliseconds,
      0);
}

void EventPublisher::finish_flush() {
  uv_timer_stop(flush_timer_);
  if (const auto done = std::exchange(flushed_, nullptr)) done();
}

}  // namespace wasirun::shim
