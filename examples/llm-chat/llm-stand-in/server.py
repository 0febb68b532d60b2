#!/usr/bin/env python3
"""A stand-in for a language model, for demos and tests: OpenAI's chat completions, streamed or not, without a model.

It answers every message with a greeting and the message itself, so that a test knows its own words again.
"""

import argparse
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    key = ""
    delay = 0.0

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.path.endswith("/chat/completions"):
            return self.reply(404, {"error": {"message": f"no such path: {self.path}"}})
        if self.key and self.headers.get("Authorization") != f"Bearer {self.key}":
            return self.reply(401, {"error": {"message": "wrong key"}})
        try:
            asked = json.loads(body)
            model = asked["model"]
            last = [m["content"] for m in asked["messages"] if m["role"] == "user"][-1]
        except (ValueError, KeyError, IndexError):
            return self.reply(400, {"error": {"message": "model and messages are needed"}})
        answer = f"您好！我是 {model} 的替身。Hello! I stand in for {model}. 您说 / You said: {last}"
        if not asked.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
            return self.reply(200, {"object": "chat.completion", "model": model, "choices": [choice]})
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for start in range(0, len(answer), 4):
            self.chunk(model, {"content": answer[start : start + 4]}, None)
            time.sleep(self.delay)
        self.chunk(model, {}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def do_GET(self):
        self.reply(200, {"object": "list", "data": [{"id": "stand-in", "object": "model"}]})

    def chunk(self, model, delta, reason):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        data = {"object": "chat.completion.chunk", "model": model, "choices": [choice]}
        self.wfile.write(f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode())
        self.wfile.flush()

    def reply(self, status, fields):
        body = json.dumps(fields).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=11553)
    parser.add_argument("--key", default="", help="the key that callers must show")
    parser.add_argument("--delay", type=float, default=0.02, help="seconds between two pieces of an answer")
    given = parser.parse_args()
    Handler.key, Handler.delay = given.key, given.delay
    ThreadingHTTPServer((given.host, given.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
