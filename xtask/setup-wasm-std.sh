#!/usr/bin/env bash
# Builds a standard library and clippy for wasm32-unknown-unknown in a private prefix, from Debian's rustc-web and its source. It is for machines where rustup can't
# download the target. Nothing is installed system-wide. It needs dpkg-deb, the rustup toolchain, and apt lists (it runs apt-get update once if they are too old).
# PREFIX is emptied first, so it must be new, empty, or created by this script.
# usage: setup-wasm-std.sh PREFIX       afterwards: ( . PREFIX/env; cargo build --target wasm32-unknown-unknown )
set -euo pipefail
prefix=$(mkdir -p "${1:?usage: setup-wasm-std.sh PREFIX}" && cd "$1" && pwd)
mark="$prefix/.wasm-std"
if [ -n "$(ls -A "$prefix")" ] && [ ! -e "$mark" ] && ! ls "$prefix"/.ready-* >/dev/null 2>&1; then
  echo "$prefix is not empty and was not created by this script, which would delete its content; name a new folder, or empty it" >&2
  exit 1
fi

for tool in apt-cache apt-get dpkg-deb; do
  command -v "$tool" >/dev/null || { echo "$tool is missing; use \`rustup target add wasm32-unknown-unknown\` instead" >&2; exit 1; }
done
candidate() { apt-cache policy rustc-web | awk '/Candidate:/{print $2}'; }
new_enough() { [ -n "$1" ] && [ "$1" != "(none)" ] && dpkg --compare-versions "$1" ge 1.95; }
version=$(candidate)
if ! new_enough "$version"; then
  apt-get update -qq
  version=$(candidate)
fi
new_enough "$version" || { echo "rustc-web 1.95 or newer is needed; apt has ${version:-none}" >&2; exit 1; }

stamp="$prefix/.ready-clippy-$version-$(cargo -V | awk '{print $2}')"
[ -e "$stamp" ] && exit 0
minor=$(echo "$version" | cut -d. -f1,2)
llvm=$(apt-cache depends "libstd-rust-web-$minor" | grep -o 'libllvm[0-9.]*' | head -1)
touch "$mark"
rm -rf "${prefix:?}"/* "$prefix"/.ready-*
mkdir -p "$prefix/debs" "$prefix/bin"
( cd "$prefix/debs"
  apt-get download -qq "rustc-web=$version" "libstd-rust-web-$minor=$version" "libstd-rust-web-dev=$version" "rust-web-src=$version" \
    "rust-web-clippy=$version" "$llvm"
  for deb in *.deb; do dpkg-deb -x "$deb" "$prefix"; done )
rm -rf "$prefix/debs" "$prefix/usr/share" "$prefix"/usr/src/rustc-*/{compiler,src,debian}

linker=$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld
test -x "$linker" || { echo "the toolchain has no rust-lld" >&2; exit 1; }
for program in cargo-clippy rustc; do
  cat > "$prefix/bin/$program" <<WRAPPER
#!/bin/sh
LD_LIBRARY_PATH=$prefix/usr/lib/x86_64-linux-gnu\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} exec $prefix/usr/bin/$program "\$@"
WRAPPER
  chmod +x "$prefix/bin/$program"
done
cat > "$prefix/env" <<ENV
export RUSTC=$prefix/bin/rustc CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker
ENV
. "$prefix/env"

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
mkdir "$build/src"
: > "$build/src/lib.rs"
printf '[package]\nname="seed"\nversion="0.0.0"\nedition="2021"\n' > "$build/Cargo.toml"
# Without bitcode, a project with lto = true can't link these libraries.
( cd "$build" && RUSTC_BOOTSTRAP=1 RUSTFLAGS="-C embed-bitcode=yes" CARGO_TARGET_DIR="$build/target" \
  cargo build -q --release --target wasm32-unknown-unknown -Z build-std=std,panic_abort,proc_macro,test )
libraries="$prefix/usr/lib/rustlib/wasm32-unknown-unknown/lib"
mkdir -p "$libraries"
cp "$build"/target/wasm32-unknown-unknown/release/deps/*.rlib "$libraries/"
rm -f "$libraries"/libseed-*.rlib
rm -rf "$prefix/usr/src" "$prefix/usr/lib/rustlib/src"
touch "$stamp"
