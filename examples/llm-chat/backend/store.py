"""The database: users and conversations, in one SQLite file below db/."""

import hashlib
import hmac
import os
import sqlite3
from contextlib import contextmanager

PATH = os.environ.get("DATABASE", "/app/db/conversation.db")
FIRST_PASSWORD = "Admin@2025"

SCHEMA = """
create table if not exists user (
  name text primary key,
  password text not null
);
create table if not exists conversation (
  id integer primary key,
  user text not null references user (name),
  title text not null,
  created text not null default current_timestamp
);
create table if not exists message (
  id integer primary key,
  conversation integer not null references conversation (id),
  role text not null,
  content text not null,
  created text not null default current_timestamp
);
create index if not exists message_conversation on message (conversation);
"""


@contextmanager
def database():
    """A connection; what is done in it is done as one, or not at all."""
    connection = sqlite3.connect(PATH, timeout=10)
    connection.row_factory = sqlite3.Row
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def open_database():
    """Makes what is missing. At the very first start that is the user admin, with a password for set_admin.py to change."""
    with database() as db:
        db.execute("pragma journal_mode = wal")
        db.executescript(SCHEMA)
        if not db.execute("select 1 from user").fetchone():
            set_password(db, "admin", FIRST_PASSWORD)


def set_password(db, name, password):
    db.execute(
        "insert into user (name, password) values (?, ?) on conflict (name) do update set password = excluded.password",
        (name, hash_password(password)),
    )


def password_of(name):
    """The stored hash, or None for nobody."""
    with database() as db:
        row = db.execute("select password from user where name = ?", (name,)).fetchone()
    return row and row["password"]


def hash_password(password, salt=None):
    salt = salt or os.urandom(16)
    key = hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
    return f"scrypt:{salt.hex()}:{key.hex()}"


def password_matches(password, stored):
    salt = bytes.fromhex(stored.split(":")[1]) if stored else bytes(16)
    return hmac.compare_digest(hash_password(password, salt), stored or "")


def conversations(user):
    with database() as db:
        rows = db.execute("select id, title from conversation where user = ? order by id desc limit 100", (user,))
        return [dict(row) for row in rows]


def messages(user, conversation):
    """The messages of one of the user's conversations, oldest first; None if it is not theirs."""
    with database() as db:
        if not db.execute("select 1 from conversation where id = ? and user = ?", (conversation, user)).fetchone():
            return None
        rows = db.execute("select role, content from message where conversation = ? order by id", (conversation,))
        return [dict(row) for row in rows]


def add_message(user, conversation, role, content):
    """Adds a message and returns its conversation, a new one if none was given."""
    with database() as db:
        if conversation is None:
            title = content.strip().splitlines()[0][:60]
            conversation = db.execute("insert into conversation (user, title) values (?, ?)", (user, title)).lastrowid
        db.execute(
            "insert into message (conversation, role, content) values (?, ?, ?)", (conversation, role, content)
        )
    return conversation
