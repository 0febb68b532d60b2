#!/bin/sh
# Fills the ports into the mounted configuration and starts nginx.
set -eu
sed -e "s/\${HTTP_PORT}/${HTTP_PORT:-80}/g" -e "s/\${BACKEND_PORT}/${BACKEND_PORT:-8000}/g" \
  -e "s/\${FRONTEND_PORT}/${FRONTEND_PORT:-3000}/g" /etc/nginx/templates/default.conf >/run/default.conf
exec nginx -g 'daemon off;'
