"""Sets a user's password: python3 set_admin.py --username admin, the password on standard input or in NEW_PASSWORD.

It is never an argument, where every user of the machine could read it.
"""

import argparse
import getpass
import os
import sys

import store


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--username", default="admin")
    username = parser.parse_args().username
    password = os.environ.get("NEW_PASSWORD")
    if password is None:
        password = getpass.getpass("New password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(password) < 8:
        sys.exit("a password has at least 8 characters")
    with store.database() as db:
        store.set_password(db, username, password)
    print(f"password of {username} set", file=sys.stderr)


if __name__ == "__main__":
    main()
