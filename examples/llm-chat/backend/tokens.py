"""Session tokens: who, and until when, signed. A new password or a new SECRET_KEY makes the old ones worthless."""

import base64
import hashlib
import hmac
import os
import time

LIFETIME = 12 * 3600


def sign(name, expires, stored_password):
    key = (os.environ["SECRET_KEY"] + stored_password).encode()
    return hmac.new(key, f"{name}:{expires}".encode(), hashlib.sha256).hexdigest()


def issue(name, stored_password):
    expires = int(time.time()) + LIFETIME
    text = f"{expires}:{sign(name, expires, stored_password)}:{name}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def holder(token, password_of):
    """The user a token was issued to, or None if it is forged or too old."""
    try:
        expires, signature, name = base64.urlsafe_b64decode(token).decode().split(":", 2)
        stored = password_of(name)
        valid = stored and hmac.compare_digest(signature, sign(name, int(expires), stored))
        return name if valid and int(expires) > time.time() else None
    except ValueError:
        return None
