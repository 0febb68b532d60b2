//! What of an operator's own certificate is bearable, and should be known all the same.

use super::Finding;
use crate::text::tls as text;
use crate::tls::fault::{Fault, Place};

/// A fault that the application can run with.
pub fn finding(fault: &Fault, place: &Place) -> Finding {
    let todo = match fault {
        Fault::ChainOrder { .. } => text::put_in_order(),
        _ => text::renew(),
    };
    Finding::warn("certificate", fault.message(place), todo)
}

/// Everybody on the machine can read the key that was given; the copy that is placed is root's alone.
pub fn open_key(place: &Place) -> Finding {
    let key = place.key.display();
    Finding::warn("certificate-key", text::key_is_open(&key), text::close_key(&key))
}
