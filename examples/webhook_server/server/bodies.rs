//! Decides how much of a body is held in memory before it is known to be genuine: nothing over the limit of one body, and
//! of all bodies together no more than a budget.

use std::sync::Arc;

use axum::{
    body::{Body, HttpBody},
    http::StatusCode,
};
use futures_util::StreamExt;
use purchase::error::Refusal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answers::Failure;

/// The first bytes of each body are not counted, so that no amount of large bodies locks out a small one: the bound on
/// connections bounds these. The largest delivery of the fixtures has 11 KiB.
pub(crate) const SMALL: usize = 16 << 10;

/// What bodies may still take of memory. A clone shares it.
#[derive(Clone)]
pub(super) struct Budget {
    bytes: Arc<Semaphore>,
    limit: usize,
}

/// A body, and its part of the budget until it is dropped.
pub(super) struct HeldBody {
    pub(super) bytes: Vec<u8>,
    pub(super) reserved: OwnedSemaphorePermit,
}

impl Budget {
    /// So many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let limit = bytes.min(Semaphore::MAX_PERMITS);
        Self { bytes: Arc::new(Semaphore::new(limit)), limit }
    }

    /// Reads a body of at most `limit` bytes. Bytes are reserved as they come and not as they are announced, so that whoever
    /// wants to exhaust the budget has to send it.
    ///
    /// # Errors
    /// [`Refusal::BodyTooLarge`], `overloaded` when the budget is exhausted, or `body_unread` when the body breaks off.
    pub(super) async fn read(&self, body: Body, limit: usize) -> Result<HeldBody, Failure> {
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        self.room_for(announced, limit, self.bytes.available_permits())?;
        let mut held = HeldBody { bytes: Vec::with_capacity(announced), reserved: self.reserve(0)? };
        let mut frames = body.into_data_stream();
        while let Some(frame) = frames.next().await {
            let frame = frame.map_err(|_| {
                Failure::new(StatusCode::BAD_REQUEST, "body_unread", "the body could not be read completely")
            })?;
            let bytes = held.bytes.len().saturating_add(frame.len());
            let reserved = held.reserved.num_permits();
            self.room_for(bytes, limit, self.bytes.available_permits() + reserved)?;
            held.reserved.merge(self.reserve(bytes.saturating_sub(SMALL + reserved))?);
            held.bytes.extend_from_slice(&frame);
        }
        Ok(held)
    }

    fn room_for(&self, bytes: usize, limit: usize, available: usize) -> Result<(), Failure> {
        match bytes {
            _ if bytes > limit => Err(Refusal::BodyTooLarge { bytes, limit }.into()),
            _ if bytes.saturating_sub(SMALL) > available => Err(self.overloaded()),
            _ => Ok(()),
        }
    }

    fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Failure> {
        let bytes = u32::try_from(bytes).map_err(|_| self.overloaded())?;
        Arc::clone(&self.bytes).try_acquire_many_owned(bytes).map_err(|_| self.overloaded())
    }

    fn overloaded(&self) -> Failure {
        let message = format!(
            "unanswered request bodies use {} bytes, which is the limit; send the delivery again later",
            self.limit
        );
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message)
    }
}
