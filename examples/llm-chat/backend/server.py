"""The server of LLM Chat: login, conversations, and answers of a language model passed on as they come."""

import asyncio
import json
import logging
import logging.handlers
import os
import sqlite3
import sys

import httpx
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

import store
import tokens

VERSION = "1.0.0"
LOGS = os.environ.get("LOGS", "/app/logs")
REMEMBERED_MESSAGES = 20

app = FastAPI(title="LLM Chat", version=VERSION, docs_url=None, redoc_url=None)
# Tokens travel in a header of their own, not in cookies, so a page from elsewhere gains nothing.
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
log = logging.getLogger("llm-chat")


class Login(BaseModel):
    username: str
    password: str


class Message(BaseModel):
    message: str = Field(min_length=1, max_length=100_000)
    conversation: int = None


def user(authorization: str = Header("")):
    name = tokens.holder(authorization.removeprefix("Bearer "), store.password_of)
    if name is None:
        raise HTTPException(401, "not logged in")
    return name


@app.get("/api/health")
def health():
    try:
        with store.database() as db:
            db.execute("select count(*) from user").fetchone()
    except sqlite3.Error as error:
        raise HTTPException(503, f"database: {error}")
    return {"status": "ok", "version": VERSION}


@app.post("/api/login")
async def login(given: Login):
    stored = await asyncio.to_thread(store.password_of, given.username)
    if not await asyncio.to_thread(store.password_matches, given.password, stored):
        log.warning("login refused")
        await asyncio.sleep(1)
        raise HTTPException(401, "wrong name or password")
    return {"token": tokens.issue(given.username, stored), "username": given.username}


@app.get("/api/conversations")
def conversations(name: str = Depends(user)):
    return store.conversations(name)


@app.get("/api/conversations/{conversation}")
def conversation(conversation: int, name: str = Depends(user)):
    found = store.messages(name, conversation)
    if found is None:
        raise HTTPException(404, "no such conversation")
    return found


@app.post("/api/chat")
async def chat(sent: Message, name: str = Depends(user)):
    """Answers with a stream of events: {"conversation"}, then {"delta"}..., then {"done"} or {"error"}."""
    history = []
    if sent.conversation is not None:
        history = store.messages(name, sent.conversation)
        if history is None:
            raise HTTPException(404, "no such conversation")
    number = store.add_message(name, sent.conversation, "user", sent.message)
    asked = [*history[-REMEMBERED_MESSAGES:], {"role": "user", "content": sent.message}]
    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    return StreamingResponse(answer(name, number, asked), media_type="text/event-stream", headers=headers)


async def answer(name, number, asked):
    yield event(conversation=number)
    parts = []
    try:
        async for part in ask_model(asked):
            parts.append(part)
            yield event(delta=part)
        yield event(done=True)
    except (httpx.HTTPError, ValueError) as error:
        reason = str(error) or type(error).__name__
        log.error("the language model failed: %s", reason)
        yield event(error=reason)
    finally:
        if parts:
            store.add_message(name, number, "assistant", "".join(parts))


async def ask_model(asked):
    """The model's answer to a conversation, piece by piece."""
    key = os.environ.get("LLM_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body = {"model": os.environ["LLM_MODEL"], "messages": asked, "stream": True}
    timeout = httpx.Timeout(600, connect=10)
    async with httpx.AsyncClient(timeout=timeout) as client:
        async with client.stream("POST", os.environ["LLM_API_URL"], json=body, headers=headers) as response:
            if response.status_code != 200:
                await response.aread()
                raise ValueError(f"status {response.status_code} from the model: {response.text[:200]}")
            async for line in response.aiter_lines():
                data = line.removeprefix("data:").strip()
                if not line.startswith("data:") or data == "[DONE]":
                    continue
                for choice in json.loads(data).get("choices", []):
                    if choice.get("delta", {}).get("content"):
                        yield choice["delta"]["content"]


def event(**fields):
    return f"data: {json.dumps(fields, ensure_ascii=False)}\n\n"


def main():
    missing = [name for name in ("LLM_API_URL", "LLM_MODEL", "SECRET_KEY") if not os.environ.get(name)]
    if missing:
        sys.exit(f"missing in the environment: {', '.join(missing)}")
    file = logging.handlers.RotatingFileHandler(f"{LOGS}/backend.log", maxBytes=10_000_000, backupCount=3)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        handlers=[file, logging.StreamHandler()],
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    store.open_database()
    port = int(os.environ.get("BACKEND_PORT", "8000"))
    log.info("version %s on port %s", VERSION, port)
    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False, proxy_headers=True)


if __name__ == "__main__":
    main()
