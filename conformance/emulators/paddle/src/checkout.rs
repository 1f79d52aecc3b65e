//! Decides what happens when a buyer pays: who the buyer is, what becomes of the card, and which subscription begins.

use purchase_emulator::Shared;
use serde::Deserialize;
use serde_json::json;

use crate::{
    Paddle,
    customers::{is_country, is_email},
    fault::Fault,
    ids,
    subscription::{Item, Status as Standing, Subscription},
    times::Times,
    transaction::{AttemptStatus, Origin, Status},
};

/// What a buyer enters at a checkout.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buyer {
    /// The e-mail address. It may be left out when the transaction has a customer.
    #[serde(default)]
    pub email: Option<String>,
    /// The country. It may be left out when the transaction has an address.
    #[serde(default)]
    pub country: Option<String>,
    /// The card.
    pub card: Card,
}

/// What becomes of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Card {
    /// It is declined.
    Declined,
    /// The bank needs time. An act settles it later.
    Delayed,
    /// It succeeds.
    Success,
    /// The buyer confirms it by 3-D Secure.
    ThreeDSecure,
    /// The buyer fails at 3-D Secure.
    ThreeDSecureFailed,
}

impl Paddle {
    /// A buyer pays a transaction at its checkout. Returns whether it is paid.
    pub(crate) fn buy(&mut self, shared: &mut Shared, id: &str, buyer: &Buyer) -> Result<bool, Fault> {
        self.identify(shared, id, buyer)?;
        Ok(match buyer.card {
            Card::Success => self.capture(shared, id),
            Card::Declined => self.decline(shared, id, "declined"),
            Card::Delayed => self.wait(shared, id, AttemptStatus::PendingNoActionRequired),
            Card::ThreeDSecure => {
                self.wait(shared, id, AttemptStatus::ActionRequired);
                self.capture(shared, id)
            }
            Card::ThreeDSecureFailed => {
                self.wait(shared, id, AttemptStatus::ActionRequired);
                self.decline(shared, id, "authentication_failed")
            }
        })
    }

    /// The bank settles a payment that waited.
    pub(crate) fn settle(&mut self, shared: &mut Shared, id: &str, succeeds: bool) -> Result<bool, Fault> {
        let it = self.transactions.get(id).ok_or_else(|| Fault::not_found(id))?;
        if !it.attempts.first().is_some_and(|it| it.status == AttemptStatus::PendingNoActionRequired) {
            return Err(Fault::transaction("transaction_immutable", "No payment of the transaction is pending"));
        }
        Ok(if succeeds { self.capture(shared, id) } else { self.decline(shared, id, "declined") })
    }

    /// A transaction's buyer becomes known, and the transaction ready.
    fn identify(&mut self, shared: &mut Shared, id: &str, buyer: &Buyer) -> Result<(), Fault> {
        let it = self.transactions.get(id).ok_or_else(|| Fault::not_found(id))?;
        let waits = it.attempts.first().is_some_and(|it| it.status == AttemptStatus::PendingNoActionRequired);
        if !matches!(it.status, Status::Draft | Status::Ready) || waits || !it.has_checkout() {
            let detail = "Cannot process payment for non-ready transaction";
            return Err(Fault::transaction("transaction_not_ready_cannot_process_payment", detail));
        }
        if it.status == Status::Ready {
            return Ok(());
        }
        let (customer, address) = (it.customer.clone(), it.address.clone());
        let email = buyer.email.as_deref().unwrap_or_default();
        let country = buyer.country.as_deref().unwrap_or_default();
        if customer.is_none() && !is_email(email) {
            return Err(Fault::field("email", "must be a valid email"));
        }
        if address.is_none() && !is_country(country) {
            return Err(Fault::field("country", "must be a supported country code"));
        }
        let known = customer.or_else(|| self.customer_by_email(email).map(|it| it.id.clone()));
        let is_new = known.is_none();
        let customer = known.unwrap_or_else(|| self.meet(shared, email));
        let is_late = is_new && shared.draw.percent(self.account.oddities.customer_after_ready);
        if is_new && !is_late {
            self.emit(shared, "customer.created", &customer);
        }
        let address = address.unwrap_or_else(|| {
            let address = self.locate(shared, &customer, country);
            self.emit(shared, "address.created", &address);
            address
        });
        self.change_transaction(shared, id, |it| {
            (it.status, it.customer, it.address) = (Status::Ready, Some(customer.clone()), Some(address));
        });
        self.emit_status(shared, "transaction.ready", id);
        if is_late {
            self.emit(shared, "customer.created", &customer);
        }
        Ok(())
    }

    /// An attempt to pay waits for the buyer or the bank.
    fn wait(&mut self, shared: &mut Shared, id: &str, status: AttemptStatus) -> bool {
        self.attempt(shared, id, status);
        self.emit(shared, "transaction.updated", id);
        false
    }

    /// The newest attempt gets a status; a new one when the newest is over.
    fn attempt(&mut self, shared: &mut Shared, id: &str, status: AttemptStatus) {
        let at = self.tick(shared);
        let Some(it) = self.transactions.get_mut(id) else { return };
        let is_open = |it: AttemptStatus| !matches!(it, AttemptStatus::Captured | AttemptStatus::Error);
        // Nothing is charged for nothing.
        let asks = it.grand_total() > 0;
        match it.attempts.first_mut().filter(|it| is_open(it.status)) {
            Some(attempt) => attempt.status = status,
            None if asks => it.attempt(at, status, shared),
            None => {}
        }
        self.change_transaction(shared, id, |_| {});
    }

    /// A payment fails. The transaction stays as it is, so that another card can be tried.
    pub(crate) fn decline(&mut self, shared: &mut Shared, id: &str, error: &str) -> bool {
        self.fail_attempt(shared, id, error);
        self.emit_status(shared, "transaction.payment_failed", id);
        false
    }

    pub(crate) fn fail_attempt(&mut self, shared: &mut Shared, id: &str, error: &str) {
        self.attempt(shared, id, AttemptStatus::Error);
        self.change_transaction(shared, id, |it| {
            if let Some(attempt) = it.attempts.first_mut() {
                attempt.error = Some(error.to_owned());
            }
        });
    }

    /// A payment is captured, and Paddle processes the transaction.
    pub(crate) fn capture(&mut self, shared: &mut Shared, id: &str) -> bool {
        self.attempt(shared, id, AttemptStatus::Captured);
        let now = shared.now;
        let begins = self.transactions.get(id).and_then(|it| {
            let line = it.recurring().next().filter(|_| it.origin != Origin::SubscriptionRecurring)?;
            line.price.trial_period.or(line.price.billing_cycle).map(|it| it.period(now))
        });
        self.change_transaction(shared, id, |it| {
            if let Some(attempt) = it.attempts.first_mut().filter(|it| it.status == AttemptStatus::Captured) {
                attempt.captured = Some(now);
            }
            (it.status, it.collect_at) = (Status::Paid, None);
            it.billed = it.billed.or(Some(now));
            it.billing_period = begins.or(it.billing_period);
        });
        self.emit_status(shared, "transaction.paid", id);
        self.complete(shared, id);
        true
    }

    /// Paddle has processed a paid transaction.
    fn complete(&mut self, shared: &mut Shared, id: &str) {
        let Some(it) = self.transactions.get(id) else { return };
        let subscribes = it.subscription.is_none() && it.recurring().next().is_some();
        let has_invoice = it.invoice.is_some();
        let oddities = self.account.oddities.clone();
        let is_late = subscribes && shared.draw.percent(oddities.subscription_after_completed);
        let stale = shared.draw.percent(oddities.stale_after_completed).then(|| self.told(shared, id));
        let subscription = (subscribes && !is_late).then(|| self.subscribe(shared, id)).flatten();
        let invoice = (!has_invoice).then(|| self.invoice(shared));
        self.change_transaction(shared, id, |it| {
            it.status = Status::Completed;
            it.subscription = subscription.or(it.subscription.take());
            it.invoice = invoice.or(it.invoice.take());
        });
        match stale {
            None => self.emit_status(shared, "transaction.completed", id),
            Some(stale) => {
                self.emit(shared, "transaction.completed", id);
                self.emit_data(shared, "transaction.updated", id, stale);
            }
        }
        if is_late {
            let subscription = self.subscribe(shared, id);
            self.change_transaction(shared, id, |it| it.subscription = subscription);
            self.emit(shared, "transaction.updated", id);
        }
    }

    /// A checkout's recurring items become a subscription.
    fn subscribe(&mut self, shared: &mut Shared, id: &str) -> Option<String> {
        let at = self.tick(shared);
        let it = self.transactions.get(id)?;
        let cycle = it.recurring().next()?.price.billing_cycle?;
        let period = it.billing_period?;
        let is_trial = it.recurring().any(|line| line.price.trial_period.is_some());
        let items = it.recurring().map(|line| Item {
            price: line.price.clone(),
            product: line.product.clone(),
            quantity: line.quantity,
            times: Times::new(at),
            previously_billed: (!is_trial).then_some(period.start),
            trial: is_trial.then_some(period),
        });
        let subscription = Subscription {
            id: ids::id("sub", at, &mut shared.draw),
            times: Times::new(at),
            status: if is_trial { Standing::Trialing } else { Standing::Active },
            customer: it.customer.clone()?,
            address: it.address.clone()?,
            currency: it.currency.clone(),
            custom_data: it.custom_data.clone(),
            started: period.start,
            first_billed: (!is_trial).then_some(period.start),
            paused: None,
            canceled: None,
            period,
            cycle,
            scheduled: None,
            items: items.collect(),
            owed: None,
            activates: false,
        };
        let begins = if is_trial { "subscription.trialing" } else { "subscription.activated" };
        let new = subscription.id.clone();
        self.subscriptions.insert(new.clone(), subscription);
        let is_first = shared.draw.percent(self.account.oddities.activated_before_created);
        if is_first {
            self.emit(shared, begins, &new);
        }
        // Documented: only this event names the transaction.
        let mut data = self.told(shared, &new);
        data["transaction_id"] = json!(id);
        self.emit_data(shared, "subscription.created", &new, data);
        if !is_first {
            self.emit(shared, begins, &new);
        }
        Some(new)
    }
}
