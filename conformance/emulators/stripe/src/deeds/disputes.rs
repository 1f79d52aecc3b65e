//! Disputes and inquiries: opened, escalated, closed.

use purchase_emulator::Shared;

use crate::{
    ids,
    show::Kind,
    state::{Dispute, DisputeStatus, Movement},
    stripe::Stripe,
};

impl Stripe {
    /// A buyer's bank opens a dispute, or asks first. Only a dispute takes the money.
    pub(crate) fn dispute(
        &mut self,
        shared: &mut Shared,
        charge: &str,
        amount: i64,
        reason: &str,
        inquiry: bool,
    ) -> String {
        let id = ids::long(&mut shared.draw, "du", &self.account);
        let of = self.charges.change(charge);
        of.disputed = true;
        let dispute = Dispute {
            id: id.clone(),
            created: shared.second(),
            charge: charge.to_owned(),
            intent: of.intent.clone(),
            amount,
            currency: of.currency.clone(),
            reason: reason.to_owned(),
            status: if inquiry { DisputeStatus::WarningNeedsResponse } else { DisputeStatus::NeedsResponse },
            withdrawn: None,
            reinstated: None,
        };
        self.disputes.add(&id, dispute);
        self.tell(shared, "charge.dispute.created", Kind::Dispute, &id);
        if !inquiry {
            self.withdraw(shared, &id);
        }
        id
    }

    fn withdraw(&mut self, shared: &mut Shared, id: &str) {
        let movement = self.movement(shared);
        self.disputes.change(id).withdrawn = Some(movement);
        self.tell(shared, "charge.dispute.funds_withdrawn", Kind::Dispute, id);
    }

    fn movement(&self, shared: &mut Shared) -> Movement {
        Movement { id: ids::long(&mut shared.draw, "txn", &self.account), created: shared.second() }
    }

    /// An inquiry becomes a dispute.
    pub(crate) fn escalate(&mut self, shared: &mut Shared, id: &str) {
        self.dispute_becomes(shared, "charge.dispute.updated", id, DisputeStatus::NeedsResponse);
        self.withdraw(shared, id);
    }

    /// A dispute ends. An inquiry ends as a closed warning, whoever is right.
    pub(crate) fn close_dispute(&mut self, shared: &mut Shared, id: &str, status: DisputeStatus) {
        if status != DisputeStatus::WarningClosed {
            self.dispute_becomes(shared, "charge.dispute.updated", id, DisputeStatus::UnderReview);
        }
        self.dispute_becomes(shared, "charge.dispute.closed", id, status);
        if status == DisputeStatus::Won {
            let movement = self.movement(shared);
            self.disputes.change(id).reinstated = Some(movement);
            self.tell(shared, "charge.dispute.funds_reinstated", Kind::Dispute, id);
        }
    }

    fn dispute_becomes(&mut self, shared: &mut Shared, event_type: &str, id: &str, status: DisputeStatus) {
        self.changing(shared, event_type, (Kind::Dispute, id), |it, _| it.disputes.change(id).status = status);
    }
}
