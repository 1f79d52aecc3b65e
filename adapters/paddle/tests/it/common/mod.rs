//! Locates the shared recordings, and creates a signed delivery of a body.

use std::path::{Path, PathBuf};

use purchase_core::{
    delivery::{Delivery, Limits},
    provider::{Event, Provider, Unreadable, Webhooks},
    time::Timestamp,
    verify::{SignatureError, verify},
};
use purchase_paddle::Paddle;

/// A file or folder of the recordings, which are next to the workspace and not part of it.
pub(crate) fn recordings(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/recordings").join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("SKIPPED: ../shared/recordings/{path} is missing, so this test did not run");
    None
}

/// Verifies a body with a header at a time, then reads it.
pub(crate) fn receive(
    paddle: &Paddle,
    body: &[u8],
    header: &str,
    now_seconds: i64,
) -> Result<Result<Event, Unreadable>, SignatureError> {
    let delivery = Delivery {
        provider: paddle.name().clone(),
        headers: [("paddle-signature", header)].into_iter().collect(),
        body: body.to_vec(),
        received_at: Timestamp::from_seconds(now_seconds).expect("in range"),
    };
    let presented = paddle.presented_signature(&delivery.headers, &Limits::default())?;
    Ok(paddle.read(&verify(delivery, &presented, paddle.trust())?))
}
