//! Bounds for what is read from a file that nobody has checked yet. Each says why it is as large as it is.

/// The index as stored, in bytes. A million entries compress to less.
pub const INDEX_STORED_MAX: u64 = 16 << 20;

/// The index decompressed, in bytes: the stretch digests of 2 TB of payload need 34 MB; a real bundle needs 1 MB.
pub const INDEX_RAW_MAX: u64 = 40 << 20;

/// Values in the index, of all lists and objects together: with 2 TB of payload most of them are stretch digests. Bounds the
/// memory that a reader needs, since a value of three bytes takes fifty.
pub const INDEX_VALUES_MAX: usize = 600_000;

/// A string in the index, in bytes: the longest texts that people read take a tenth. A longer one is in memory twice.
pub const INDEX_STRING_MAX: usize = 1 << 16;

/// Questions, and likewise values and actions: each takes some work to check. No value is made of more answers, either.
pub const QUESTIONS_MAX: usize = 1_000;

/// Compiled size of a question's pattern, in bytes; the longest sensible ones take a tenth.
pub const PATTERN_MAX: usize = 1 << 18;

/// The signature block, in bytes: a public key and a signature in minisign's form, with comments. So much room is left for one.
pub const SIGNATURE_MAX: usize = 1_000;

/// A project file, in bytes: it is held in memory when it is packed and when it is written.
pub const PROJECT_FILE_MAX: u64 = 256 << 20;

/// zstd window of layer blobs, as a power of two: containerd's and `zstd -d`'s default limit.
pub const WINDOW_LOG_MAX: u32 = 27;

/// Longest path of a project file, in bytes; Linux' `PATH_MAX` less room for `--dir`.
pub const PATH_MAX: usize = 1024;

/// Largest number of entries of any list in the index.
pub const LIST_MAX: usize = 100_000;

/// Longest time that a check may take to become true, in seconds: a day.
pub const TIMEOUT_MAX: u64 = 86_400;

/// Longest title or prompt, in characters: more does not fit on a screen.
pub const TEXT_MAX: usize = 2_000;
