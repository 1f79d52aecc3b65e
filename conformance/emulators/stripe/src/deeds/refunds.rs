//! Refunds: made, settled, sent back by the bank.

use purchase_emulator::Shared;

use crate::{
    agenda::Job,
    ids,
    show::Kind,
    state::{Metadata, Refund, RefundStatus, RefundsBegin},
    stripe::Stripe,
};

/// A refund that is asked for, of an amount that can be refunded.
pub(crate) struct RefundRequest {
    pub(crate) charge: String,
    pub(crate) amount: i64,
    pub(crate) reason: Option<String>,
    pub(crate) metadata: Metadata,
}

impl Stripe {
    /// Makes a refund. A pending one is counted on the charge as well.
    pub(crate) fn refund(&mut self, shared: &mut Shared, request: RefundRequest) -> String {
        let id = ids::payment(&mut shared.draw, "re", &self.account);
        let begins = self.charges.at(&request.charge).refunds_begin;
        let pending = matches!(begins, RefundsBegin::Pending | RefundsBegin::PendingThenSucceeded);
        let charge = request.charge.clone();
        let transaction = self.new_transaction(shared);
        let before = self.shown(Kind::Charge, &charge);
        let of = self.charges.at(&charge);
        let refund = Refund {
            id: id.clone(),
            created: shared.second(),
            charge: request.charge,
            intent: of.intent.clone(),
            amount: request.amount,
            currency: of.currency.clone(),
            reason: request.reason,
            metadata: request.metadata,
            status: if pending { RefundStatus::Pending } else { RefundStatus::Succeeded },
            balance_transaction: transaction,
            failure_balance_transaction: None,
        };
        self.refunds.add(&id, refund);
        self.tell(shared, "refund.created", Kind::Refund, &id);
        let after = self.shown(Kind::Charge, &charge);
        let changed = crate::tell::previous(&before, &after);
        for _ in 0..if self.settings.refunded_twice { 2 } else { 1 } {
            self.event(shared, "charge.refunded", after.clone(), Some(changed.clone()), 0);
        }
        if matches!(begins, RefundsBegin::PendingThenSucceeded | RefundsBegin::SucceededThenFailed) {
            let fails = begins == RefundsBegin::SucceededThenFailed;
            let at = shared.second() + self.settings.refund_settles_after_seconds;
            self.agenda.plan(at, Job::Refund { refund: id.clone(), fails });
        }
        id
    }

    /// A refund succeeds or fails. A failed one is not counted on the charge any more; no event about the charge says so.
    pub(crate) fn settle_refund(&mut self, shared: &mut Shared, id: &str, succeeds: bool) {
        let it = self.refunds.at(id);
        match (it.status, succeeds) {
            (RefundStatus::Failed, _) | (RefundStatus::Succeeded, true) => return,
            (RefundStatus::Pending, _) | (RefundStatus::Succeeded, false) => {}
        }
        let transaction = self.new_transaction(shared);
        let events = ["refund.updated", "charge.refund.updated"];
        self.changing_with(shared, &events, (Kind::Refund, id), |it, _| {
            let it = it.refunds.change(id);
            it.status = if succeeds { RefundStatus::Succeeded } else { RefundStatus::Failed };
            it.failure_balance_transaction = (!succeeds).then_some(transaction);
        });
        if !succeeds {
            self.tell(shared, "refund.failed", Kind::Refund, id);
        }
    }
}
