//! What of an operator's own certificate is bearable, and should be known all the same.

use super::Finding;
use crate::facts::exposure::Exposure;
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
pub fn open_key(place: &Place, exposure: Exposure) -> Finding {
    let key = place.key.display();
    let todo = match exposure {
        Exposure::Mode => text::close_key(&key),
        Exposure::Place => text::move_key(&key),
    };
    Finding::warn("certificate-key", text::key_is_open(&key), todo)
}
