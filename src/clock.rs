//! Decides what time it is. Core has no clock: what runs on its own, or faces the network, asks here.

use std::time::SystemTime;

use crate::time::Timestamp;

/// The wall clock. One that stands before 1970 is taken for 1970: nothing is due then, and no signed time is believed.
pub(crate) fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros())
        .ok()
        .and_then(|micros| Timestamp::from_micros(micros).ok())
        .unwrap_or(Timestamp::EPOCH)
}
