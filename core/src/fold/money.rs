//! Derives what happened to the money of a payment: how much was authorized, captured and received, how much was
//! refunded, and how much disputes hold or took. It also derives which credits of an invoice remain in force. It
//! knows only the subject's members.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    fact::object_state::{
        Charge, ChargeState, Credit, CreditState, Dispute, DisputeState, ObjectState, Payment, PaymentState, Refund,
        RefundState, Reversal, Undone,
    },
    fold::SubjectState,
    id::{ObjectKind, ObjectRef, ProviderId},
    money::Money,
    time::Timestamp,
};

/// The figures of a payment, in minor units of its currency. `None` means that the figure is not known yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// The largest amount that was authorized.
    pub authorized: Option<i64>,
    /// The captured part of it.
    pub captured: Option<i64>,
    /// The amount received.
    pub received: Option<i64>,
    /// The refunded part of what was received. An amount that was authorized and never captured was not received.
    pub refunded: i64,
    /// The part of what was received that disputes hold or took.
    pub disputed: i64,
}

/// The outcome of a payment's disputes together, from the least to the most serious.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disputed {
    /// No dispute moved money.
    None,
    /// Money was withheld and returned.
    Won,
    /// Money is withheld.
    Open,
    /// Money is lost.
    Lost,
}

impl Figures {
    /// Whether everything received was returned, by refunds, by disputes or by both. A dispute of nine tenths or more
    /// of what was received counts as a dispute of all of it: the disputed amount can differ from the payment's
    /// because exchange rates move.
    pub fn all_went_back(&self) -> bool {
        let Some(received) = self.received else { return false };
        let whole_dispute = self.disputed > 0 && self.disputed.saturating_mul(10) >= received.saturating_mul(9);
        let gone = self.refunded.saturating_add(self.disputed);
        whole_dispute || (gone > 0 && gone >= received)
    }
}

impl SubjectState {
    /// The figures of a payment.
    pub fn figures(&self) -> Figures {
        let settled: Vec<(Charge, Timestamp)> = self.charges();
        let payment = self.payment();
        let not_failed = settled.iter().filter(|(charge, _)| charge.state != ChargeState::Failed);
        let charged = not_failed.map(|(charge, _)| charge.amount.minor()).max();
        let captured = settled.iter().filter(|(charge, _)| charge.state == ChargeState::Succeeded).fold(
            None,
            |sum: Option<i64>, (charge, _)| {
                let captured = charge.captured.unwrap_or(charge.amount).minor();
                Some(sum.unwrap_or(0).saturating_add(captured).min(Money::MAX_MINOR))
            },
        );
        let (asked, received) = match payment {
            Some(Payment { state: PaymentState::Succeeded, amount, received, .. }) => {
                (Some(amount.minor()), Some(received.unwrap_or(amount).minor()))
            }
            Some(Payment { state: PaymentState::Authorized, amount, .. }) => (Some(amount.minor()), None),
            Some(Payment { state: PaymentState::Canceled, .. }) => (None, Some(0)),
            Some(_) | None => (None, captured),
        };
        Figures {
            authorized: charged.or(asked),
            captured: captured.or(received),
            received,
            refunded: self.refunded_minor(),
            disputed: self.disputed_minor(received),
        }
    }

    /// The refunded amount of a payment, in minor units: the sum of its succeeded refunds, or the charges' refund
    /// totals if they are larger. A charge's total includes pending refunds, and refunds that failed after the total
    /// was recorded.
    fn refunded_minor(&self) -> i64 {
        let released = self.released_refunds();
        let refunds: Vec<(Refund, Timestamp)> = self
            .objects()
            .filter(|(object, _)| !released.contains(*object))
            .filter_map(|(_, settled)| match settled.shown() {
                ObjectState::Refund(refund) => Some((refund.clone(), settled.since)),
                _ => None,
            })
            .collect();
        let sum = |amounts: &mut dyn Iterator<Item = i64>| amounts.fold(0, i64::saturating_add);
        let is_done = |refund: &Refund| refund.state == RefundState::Succeeded;
        let succeeded =
            sum(&mut refunds.iter().filter(|(refund, _)| is_done(refund)).map(|(refund, _)| refund.amount.minor()));
        let charges = self.charges();
        let Some(charged_at) = charges.iter().map(|(_, at)| *at).max() else {
            return succeeded.min(Money::MAX_MINOR);
        };
        let counted = self.counts_release();
        let charged_back = sum(&mut charges.iter().map(|(charge, _)| went_back(charge, counted)));
        let not_gone = sum(&mut refunds.iter().filter_map(|(refund, since)| match refund.state {
            RefundState::Pending | RefundState::RequiresAction => Some(refund.amount.minor()),
            // The time at which it failed counts, not the time of the last event that reports it.
            RefundState::Canceled | RefundState::Failed => (*since >= charged_at).then(|| refund.amount.minor()),
            RefundState::Succeeded | RefundState::Unknown => None,
        }));
        succeeded.max(charged_back.saturating_sub(not_gone)).min(Money::MAX_MINOR)
    }

    /// Refund objects that refund nothing: some API versions create one for an amount that was authorized and not
    /// captured. If nothing was captured, all refunds are such; otherwise the oldest of exactly that amount is, if
    /// the provider counts the release at all.
    pub fn released_refunds(&self) -> BTreeSet<ObjectRef> {
        let refunds = self.by_age(|object_state| match object_state {
            ObjectState::Refund(refund) => Some(refund.clone()),
            _ => None,
        });
        if refunds.is_empty() {
            return BTreeSet::new();
        }
        if self.nothing_was_captured() {
            return refunds.into_iter().map(|(_, object, _)| object.clone()).collect();
        }
        let released = self.released_minor();
        let is_release = |refund: &Refund| released > 0 && refund.amount.minor() == released;
        let release = refunds.iter().find(|(.., refund)| is_release(refund));
        release.filter(|_| self.counts_release()).map(|(_, object, _)| (*object).clone()).into_iter().collect()
    }

    /// Whether the provider counts what was authorized and not captured as refunded. The charge's captured figures
    /// decide first; then the refunds, because no more than the received amount can be refunded; then the API
    /// version.
    fn counts_release(&self) -> bool {
        let shown = |by_version| {
            self.objects().find_map(|(_, settled)| match settled.shown() {
                ObjectState::Release(it) if it.by_version == by_version => Some(it.counted),
                _ => None,
            })
        };
        if let Some(counted) = shown(false) {
            return counted;
        }
        if self.released_minor() == 0 {
            return false;
        }
        let came = match self.payment() {
            Some(Payment { state: PaymentState::Succeeded, amount, received, .. }) => {
                received.unwrap_or(amount).minor()
            }
            _ => self.charges().iter().map(|(charge, _)| charge.captured.unwrap_or(charge.amount).minor()).sum(),
        };
        let refunds = self.objects().filter_map(|(_, settled)| match settled.shown() {
            ObjectState::Refund(refund) if !matches!(refund.state, RefundState::Canceled | RefundState::Failed) => {
                Some(refund.amount.minor())
            }
            _ => None,
        });
        refunds.fold(0, i64::saturating_add) > came || shown(true).unwrap_or(false)
    }

    /// Whether no money was received although some was authorized.
    fn nothing_was_captured(&self) -> bool {
        match self.payment() {
            Some(Payment { state: PaymentState::Canceled, .. }) => true,
            Some(Payment { state: PaymentState::Succeeded, .. }) => false,
            Some(_) | None => {
                let charges = self.charges();
                let captured = |(charge, _): &(Charge, Timestamp)| charge.captured.is_none_or(|it| it.minor() > 0);
                !charges.is_empty() && !charges.iter().any(captured)
            }
        }
    }

    /// The amount authorized and not captured, in minor units.
    fn released_minor(&self) -> i64 {
        let charges = self.charges();
        let done = charges.iter().filter(|(charge, _)| charge.state == ChargeState::Succeeded);
        let of_charges = done.map(|(charge, _)| charge.released_minor()).fold(0, i64::saturating_add);
        match self.payment() {
            _ if of_charges > 0 => of_charges,
            Some(Payment { state: PaymentState::Succeeded, amount, received: Some(received), .. }) => {
                amount.minor().saturating_sub(received.minor()).max(0)
            }
            Some(_) | None => 0,
        }
    }

    /// The prices of a payment whose every line was fully refunded, if refunds name the lines.
    pub fn refunded_prices(&self) -> BTreeSet<ProviderId> {
        let mut gone: BTreeMap<ProviderId, (i64, bool)> = BTreeMap::new();
        for (_, settled) in self.objects() {
            let ObjectState::Refund(refund) = settled.shown() else { continue };
            for line in refund.lines.iter().filter(|_| refund.state == RefundState::Succeeded) {
                let (amount, whole) = gone.entry(line.line.clone()).or_default();
                *amount = amount.saturating_add(line.amount_minor);
                *whole |= line.whole;
            }
        }
        let Some(payment) = self.payment() else { return BTreeSet::new() };
        let is_gone = |line: &crate::fact::object_state::Line| {
            gone.get(&line.id).is_some_and(|(amount, whole)| *whole || (*amount > 0 && *amount >= line.total_minor))
        };
        let (gone, kept): (Vec<_>, Vec<_>) = payment.lines.iter().partition(|line| is_gone(line));
        let kept: BTreeSet<&ProviderId> = kept.into_iter().map(|line| &line.price).collect();
        gone.into_iter().map(|line| &line.price).filter(|price| !kept.contains(price)).cloned().collect()
    }

    fn payment(&self) -> Option<Payment> {
        self.objects().find_map(|(_, settled)| match settled.shown() {
            ObjectState::Payment(payment) => Some(payment.clone()),
            _ => None,
        })
    }

    /// The charges, and when each was last seen.
    fn charges(&self) -> Vec<(Charge, Timestamp)> {
        self.objects()
            .filter_map(|(_, settled)| match settled.shown() {
                ObjectState::Charge(charge) => Some((charge.clone(), settled.at)),
                _ => None,
            })
            .collect()
    }

    /// The amount that disputes hold or took, in minor units of the payment's currency. A dispute in another currency
    /// can't be compared and counts as a dispute of everything received.
    fn disputed_minor(&self, received: Option<i64>) -> i64 {
        let currency = self.payment().map(|payment| payment.amount.currency());
        let standing = self.disputes().into_iter().map(|(_, dispute)| dispute);
        standing
            .filter(|dispute| matches!(dispute.state, DisputeState::Lost | DisputeState::Open))
            .map(|dispute| match currency {
                Some(currency) if currency != dispute.amount.currency() => received.unwrap_or(Money::MAX_MINOR),
                Some(_) | None => dispute.amount.minor(),
            })
            .fold(0_i64, i64::saturating_add)
            .min(Money::MAX_MINOR)
    }

    /// The most serious outcome among a payment's disputes.
    pub fn dispute(&self) -> Disputed {
        let weigh = |(_, dispute): (_, Dispute)| match dispute.state {
            DisputeState::Lost => Disputed::Lost,
            DisputeState::Open => Disputed::Open,
            DisputeState::Won => Disputed::Won,
            DisputeState::Closed | DisputeState::Inquiry | DisputeState::Unknown => Disputed::None,
        };
        self.disputes().into_iter().map(weigh).max().unwrap_or(Disputed::None)
    }

    /// The disputes of a payment, oldest first, after their reversals. A reversal that names no dispute ends the
    /// oldest open one. A reversal that a dispute already reports itself is not counted again.
    pub fn disputes(&self) -> Vec<(&ObjectRef, Dispute)> {
        let mut disputes = self.by_age(|object_state| match object_state {
            ObjectState::Dispute(dispute) => Some(dispute.clone()),
            _ => None,
        });
        let won = |dispute: &mut Dispute| dispute.state = DisputeState::Won;
        let is = |state| move |dispute: &Dispute| dispute.state == state;
        self.undo(Undone::Dispute, &mut disputes, is(DisputeState::Open), is(DisputeState::Won), won);
        let closed = |dispute: &mut Dispute| dispute.state = DisputeState::Closed;
        self.undo(Undone::Inquiry, &mut disputes, is(DisputeState::Inquiry), is(DisputeState::Closed), closed);
        disputes.into_iter().map(|(_, object, dispute)| (object, dispute)).collect()
    }

    /// The credits of an invoice, oldest first, after their reversals, as with [`disputes`](Self::disputes).
    pub fn credits(&self) -> Vec<(&ObjectRef, Credit)> {
        let mut credits = self.by_age(|object_state| match object_state {
            ObjectState::Credit(credit) => Some(credit.clone()),
            _ => None,
        });
        let reversed = |credit: &mut Credit| credit.state = CreditState::Reversed;
        let is = |state| move |credit: &Credit| credit.state == state;
        self.undo(Undone::Credit, &mut credits, is(CreditState::Issued), is(CreditState::Reversed), reversed);
        credits.into_iter().map(|(_, object, credit)| (object, credit)).collect()
    }

    /// Lets each reversal end the object it reverses. If an object not younger than the reversal reports its own end,
    /// the reversal ends nothing else; otherwise it ends the oldest object in force that is not younger than it.
    fn undo<T>(
        &self,
        undone: Undone,
        members: &mut [(Timestamp, &ObjectRef, T)],
        stands: impl Fn(&T) -> bool,
        has_ended: impl Fn(&T) -> bool,
        end: impl Fn(&mut T),
    ) {
        let mut ended: Vec<Timestamp> = members.iter().filter(|(.., it)| has_ended(it)).map(|(at, ..)| *at).collect();
        let reversals = self.by_age(|object_state| match object_state {
            ObjectState::Reversal(Reversal { undoes }) if *undoes == undone => Some(()),
            _ => None,
        });
        for (at, ..) in reversals {
            if let Some(told) = ended.iter().position(|since| *since <= at) {
                ended.remove(told);
            } else if let Some((.., it)) = members.iter_mut().find(|(since, _, it)| *since <= at && stands(it)) {
                end(it);
            }
        }
    }

    /// How many payment attempts are known by their own id.
    pub fn attempts(&self) -> usize {
        self.registers.keys().filter(|object| object.kind == ObjectKind::Charge).count()
    }

    /// The picked objects, oldest first. An object's age is that of its first observation, whatever was observed
    /// later.
    fn by_age<T>(&self, pick: impl Fn(&ObjectState) -> Option<T>) -> Vec<(Timestamp, &ObjectRef, T)> {
        let picked =
            self.objects().filter_map(|(object, settled)| Some((settled.first_at, object, pick(settled.shown())?)));
        let mut picked: Vec<_> = picked.collect();
        picked.sort_by_key(|(first_at, object, _)| (*first_at, *object));
        picked
    }
}

/// The part of a charge's refund total that was really returned.
fn went_back(charge: &Charge, counts_release: bool) -> i64 {
    let total = charge.refunded.minor();
    match charge.may_count_release && counts_release {
        true => total.saturating_sub(charge.released_minor()).max(0),
        false => total,
    }
}
