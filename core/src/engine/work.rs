//! Decides how kept events are processed later: those accepted in queue mode, and those that failed and are due again.

use std::collections::BTreeMap;

use crate::{
    engine::{Engine, ingest::Unit},
    error::Refusal,
    receipt::WebhookReceipt,
    store::{Claim, EventStatus, Lease},
    time::Timestamp,
};

/// What one round of work did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkReport {
    /// Events that were claimed.
    pub claimed: u64,
    /// Their statuses afterwards.
    pub statuses: BTreeMap<EventStatus, u64>,
    /// What came of each that could be read: transitions and what is left to settle, as for a delivery.
    pub receipts: Vec<WebhookReceipt>,
}

impl Engine {
    /// Claims due events under a lease and processes them in one commit. A worker that dies leaves them due again
    /// when its lease ends.
    ///
    /// # Errors
    /// [`Refusal::Store`] or [`Refusal::Contended`], the latter also when the lease was lost; then the events stay
    /// due.
    pub async fn work(&self, lease: Lease, limit: u32, now: Timestamp) -> Result<WorkReport, Refusal> {
        let claimed = self.store.claim(&Claim { lease: lease.clone(), now, limit }).await?;
        let mut report = WorkReport { claimed: claimed.len() as u64, ..WorkReport::default() };
        let mut units = Vec::new();
        for (index, stored) in claimed.into_iter().enumerate() {
            let key = stored.event.key.clone();
            let (mut event, reading) = self.read_stored(stored, now);
            event.key = key;
            units.push(Unit { index, event, reading });
        }
        for (_, answer) in self.ingest(units, Some(&lease)).await? {
            let status = answer.as_ref().map_or(EventStatus::Failed, |receipt| receipt.status);
            *report.statuses.entry(status).or_default() += 1;
            report.receipts.extend(answer);
        }
        Ok(report)
    }
}
