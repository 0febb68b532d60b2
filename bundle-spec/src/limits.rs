//! Bounds for what is read from a file that nobody has checked yet. Each says why it is as large as it is.

/// The index as stored, in bytes. A million entries compress to less.
pub const INDEX_STORED_MAX: u64 = 16 << 20;

/// The index decompressed, in bytes: the stretch digests of 3 TB of payload need 50 MB; a real bundle needs 1 MB.
pub const INDEX_RAW_MAX: u64 = 64 << 20;

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
