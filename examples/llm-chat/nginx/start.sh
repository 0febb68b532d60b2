#!/bin/sh
# Fills the ports into the mounted configuration and starts nginx. A block that Airlift would have filled in is left out.
set -eu
sed -e '/^@if /,/^@end$/d' -e "s/\${HTTP_PORT}/${HTTP_PORT:-80}/g" -e "s/\${BACKEND_PORT}/${BACKEND_PORT:-8000}/g" \
  -e "s/\${FRONTEND_PORT}/${FRONTEND_PORT:-3000}/g" /etc/nginx/templates/default.conf >/run/default.conf
exec nginx -g 'daemon off;'
