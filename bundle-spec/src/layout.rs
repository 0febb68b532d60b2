//! Constants of the format: what lies where, in which unit. Changing one is a format break.

use crate::trailer::Trailer;

/// First bytes of the trailer. The `\r\n` and `0x1a` show a text-mode copy at once, as PNG's signature does.
pub const TRAILER_MAGIC: [u8; 16] = *b"AIRLIFT\r\n\x1a\nBNDL\0";

/// Length of the trailer in bytes; it is the last thing in the file.
pub const TRAILER_LEN: usize = 160;

/// Length in bytes of one stretch: the unit in which damage is located.
pub const STRETCH_LEN: u64 = 4 << 20;

/// Stubs and blobs start at multiples of this many bytes, so that the launcher can cut a stub out with `dd bs=4096`.
pub const ALIGNMENT: u64 = 4096;

/// First line of every launcher and with it of every bundle: `inspect` tells a truncated bundle from another file by it.
pub const LAUNCHER_FIRST_LINE: &str = "#!/bin/sh\n# Airlift bundle\n";

/// The launcher's line that carries the length of the whole file in bytes, as 20 digits, patched in by the writer.
pub const LAUNCHER_LENGTH_KEY: &str = "bundle_length=";

/// Digits after [`LAUNCHER_LENGTH_KEY`]; 20 hold any `u64`.
pub const LAUNCHER_LENGTH_DIGITS: usize = 20;

/// The launcher ends before this many bytes: the length line must lie in the first stretch.
pub const LAUNCHER_MAX_LEN: usize = 64 << 10;

const _: () = assert!(TRAILER_LEN == Trailer::ENCODED_LEN);
const _: () = assert!((LAUNCHER_MAX_LEN as u64) < STRETCH_LEN);
const _: () = assert!(STRETCH_LEN.is_multiple_of(ALIGNMENT));

/// The number of bytes from `position` to the next multiple of [`ALIGNMENT`].
#[must_use]
pub const fn padding(position: u64) -> u64 {
    (ALIGNMENT - position % ALIGNMENT) % ALIGNMENT
}
