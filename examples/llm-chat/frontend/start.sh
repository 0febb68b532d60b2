#!/bin/sh
# Tells the page where its server is, then serves the page. An empty FRONTEND_API_URL means: where the page came from.
set -eu
escaped=$(printf %s "${FRONTEND_API_URL:-}" | sed 's/[\\"<]/\\&/g')
printf 'window.API_URL = "%s";\n' "${escaped%/}" >/www/config.js
exec busybox httpd -f -p "127.0.0.1:${FRONTEND_PORT:-3000}" -h /www
