# shellcheck shell=bash
# What the scripts in this folder share: talking, stamps, and taking single packages from the Debian mirror that apt uses.

say() { echo "${0##*/}: $*" >&2; }

die() { say "$*"; exit 1; }

# done_already DIR STAMP SCRIPT: true if DIR/.STAMP was left by this very version of SCRIPT and of this library.
done_already() { [ -f "$1/.$2" ] && [ "$(cat "$1/.$2")" = "$(version_of "$3")" ]; }

mark_done() { version_of "$3" >"$1/.$2"; }

version_of() { cat "$1" "${BASH_SOURCE[0]}" | sha256sum; }

# The Debian mirror of this machine, without a slash at its end.
mirror() {
  local uri
  # shellcheck disable=SC2016
  uri=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
    sed -n 's,/\{0\,1\} main$,,; /\/debian$/{p;q;}')
  [ -n "$uri" ] || die "apt has no source whose address ends in /debian; run apt-get update first"
  echo "$uri"
}

# download URI FILE [SHA256]: with apt's own settings for proxies and certificates; the digest is verified.
download() {
  local to=$2
  [ -z "${3:-}" ] || set -- "$1" "$2" "SHA256:$3"
  if ! /usr/lib/apt/apt-helper -o Acquire::Retries=3 -o APT::Sandbox::User=root download-file "$@" >"$to.log" 2>&1; then
    cat "$to.log" >&2
    die "cannot fetch ${1##*/}"
  fi
  rm -f "$to.log"
}

# index SUITE DIR: the suite's signed list of packages, as DIR/SUITE.packages.
index() {
  local list=main/binary-amd64/Packages.xz base digest
  [ ! -f "$2/$1.packages" ] || return 0
  base=$(mirror)/dists/$1
  mkdir -p "$2"
  download "$base/InRelease" "$2/$1.signed"
  gpgv --quiet --keyring /usr/share/keyrings/debian-archive-keyring.gpg --output "$2/$1.release" "$2/$1.signed" \
    2>"$2/$1.gpgv" || { cat "$2/$1.gpgv" >&2; die "the signature on $1 does not hold"; }
  digest=$(awk -v list=$list '/^SHA256:/ { on = 1 } on && $3 == list { print $1; exit }' "$2/$1.release")
  [ -n "$digest" ] || die "$1 does not name $list"
  download "$base/${list%/*}/by-hash/SHA256/$digest" "$2/$1.xz" "$digest"
  /usr/lib/apt/apt-helper cat-file "$2/$1.xz" >"$2/$1.packages"
}

# field SUITE DIR PACKAGE FIELD: one field of a package's entry in the list.
field() { awk -v p="$3" -v f="$4:" '$1 == "Package:" { on = $2 == p } on && $1 == f { print $2; exit }' "$2/$1.packages"; }

# unpack SUITE DIR PACKAGE TO: fetches the package, verifies it and unpacks it below TO. Nothing is installed.
unpack() {
  local name
  index "$1" "$2"
  name=$(field "$1" "$2" "$3" Filename)
  [ -n "$name" ] || die "$1 has no package $3"
  say "$3 $(field "$1" "$2" "$3" Version) from $1"
  download "$(mirror)/$name" "$2/$3.deb" "$(field "$1" "$2" "$3" SHA256)"
  mkdir -p "$4"
  dpkg -x "$2/$3.deb" "$4"
  rm -f "$2/$3.deb"
}
