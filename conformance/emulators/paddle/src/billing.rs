//! Decides what happens to a subscription over time: renewals, what is collected again, and changes that take effect.

use purchase_emulator::Shared;

use crate::{
    Paddle,
    account::DunningEnd,
    ids,
    subscription::{Action, Owed, Scheduled, Status, Subscription},
    times::{self, Period, Times},
    transaction::{Line, Origin, Status as Billing, Transaction},
    transactions::number_lines,
};

impl Paddle {
    /// Changes a subscription, and the time of its last change.
    pub(crate) fn change_subscription(
        &mut self,
        shared: &mut Shared,
        id: &str,
        change: impl FnOnce(&mut Subscription),
    ) {
        let now = self.tick(shared);
        self.misdated.remove(id);
        if let Some(it) = self.subscriptions.get_mut(id) {
            change(it);
            it.times.changed = now;
        }
    }

    /// The next period begins, and is billed.
    pub(crate) fn renew(&mut self, shared: &mut Shared, id: &str, delay_seconds: i64) {
        let Some(it) = self.subscriptions.get(id) else { return };
        let (period, converts) = (it.cycle.period(it.period.end), it.status == Status::Trialing);
        self.begin_period(shared, id, period);
        if converts {
            // Documented: `subscription.activated` means that the customer was billed successfully.
            self.change_subscription(shared, id, |it| it.activates = true);
        }
        if shared.draw.percent(self.account.oddities.future_time) {
            self.misdate(id, times::text(period.end));
        }
        self.emit(shared, "subscription.updated", id);
        self.bill(shared, id, delay_seconds);
    }

    fn begin_period(&mut self, shared: &mut Shared, id: &str, period: Period) {
        self.change_subscription(shared, id, |it| {
            (it.status, it.period, it.paused, it.scheduled) = (Status::Active, period, None, None);
            it.first_billed = it.first_billed.or(Some(period.start));
            for item in &mut it.items {
                item.previously_billed = Some(period.start);
            }
        });
    }

    /// A transaction for the current period. The stored card is charged after a delay.
    fn bill(&mut self, shared: &mut Shared, id: &str, delay_seconds: i64) {
        let (at, now) = (self.tick(shared), shared.now);
        let Some(it) = self.subscriptions.get(id) else { return };
        let lines = it.items.iter().map(|item| Line {
            id: String::new(),
            price: item.price.clone(),
            product: item.product.clone(),
            quantity: item.quantity,
            unit: item.price.unit_price.amount.0,
        });
        let mut transaction = Transaction {
            id: ids::id("txn", at, &mut shared.draw),
            times: Times::new(at),
            status: Billing::Billed,
            origin: Origin::SubscriptionRecurring,
            customer: Some(it.customer.clone()),
            address: Some(it.address.clone()),
            subscription: Some(id.to_owned()),
            // Recorded: a subscription's transactions carry its custom data.
            custom_data: it.custom_data.clone(),
            currency: it.currency.clone(),
            lines: lines.collect(),
            billing_period: Some(it.period),
            invoice: None,
            billed: Some(now),
            attempts: Vec::new(),
            page: None,
            manual: None,
            credited: 0,
            collect_at: Some(now + delay_seconds * purchase_emulator::shared::SECOND),
        };
        number_lines(&mut transaction, shared);
        let transaction_id = transaction.id.clone();
        self.transactions.insert(transaction_id.clone(), transaction);
        match shared.draw.percent(self.account.oddities.same_microsecond) {
            true => self.emit_at_once(shared, ["transaction.created", "transaction.billed"], &transaction_id),
            false => {
                self.emit(shared, "transaction.created", &transaction_id);
                self.emit(shared, "transaction.billed", &transaction_id);
            }
        }
        if delay_seconds == 0 {
            self.collect(shared, &transaction_id);
        }
    }

    /// The stored card is charged for a billed transaction, or the terms of an invoice are over.
    pub(crate) fn collect(&mut self, shared: &mut Shared, id: &str) {
        self.change_transaction_quietly(id, |it| it.collect_at = None);
        let Some(it) = self.transactions.get(id) else { return };
        let (subscription, is_manual) = (it.subscription.clone(), it.manual.is_some());
        let card_fails = it.customer.as_ref().and_then(|id| self.customers.get(id)).is_none_or(|it| it.card_fails);
        match subscription {
            _ if is_manual => {
                self.change_transaction(shared, id, |it| it.status = Billing::PastDue);
                self.emit_status(shared, "transaction.past_due", id);
            }
            Some(subscription) if card_fails => self.fall_behind(shared, id, &subscription),
            Some(subscription) => {
                self.capture(shared, id);
                self.recover(shared, &subscription);
            }
            None => {}
        }
    }

    /// Changes what nobody sees of a transaction.
    fn change_transaction_quietly(&mut self, id: &str, change: impl FnOnce(&mut Transaction)) {
        if let Some(it) = self.transactions.get_mut(id) {
            change(it);
        }
    }

    /// A renewal is paid.
    fn recover(&mut self, shared: &mut Shared, id: &str) {
        let Some(it) = self.subscriptions.get(id) else { return };
        let (was_behind, activates) = (it.status == Status::PastDue, it.activates);
        if !was_behind && !activates {
            return;
        }
        self.change_subscription(shared, id, |it| {
            (it.status, it.owed, it.activates) = (Status::Active, None, false);
        });
        match activates {
            true => self.emit_status(shared, "subscription.activated", id),
            false => self.emit(shared, "subscription.updated", id),
        }
    }

    /// A renewal isn't paid.
    fn fall_behind(&mut self, shared: &mut Shared, transaction: &str, id: &str) {
        let oddities = self.account.oddities.clone();
        self.fail_attempt(shared, transaction, "declined");
        let is_late = shared.draw.percent(oddities.failure_after_past_due);
        let failed = self.told(shared, transaction);
        if !is_late {
            self.emit_data(shared, "transaction.payment_failed", transaction, failed.clone());
        }
        self.change_transaction(shared, transaction, |it| it.status = Billing::PastDue);
        if !is_late && shared.draw.percent(oddities.shared_time) {
            let time = failed["updated_at"].as_str().unwrap_or_default().to_owned();
            self.misdate(transaction, time);
        }
        self.emit_status(shared, "transaction.past_due", transaction);
        if is_late {
            self.emit_data(shared, "transaction.payment_failed", transaction, failed);
        }
        let owed = Owed { transaction: transaction.to_owned(), since: shared.now, retries: 0 };
        self.change_subscription(shared, id, |it| (it.status, it.owed) = (Status::PastDue, Some(owed)));
        self.emit_status(shared, "subscription.past_due", id);
    }

    /// What is owed is collected again. Returns whether it is paid.
    pub(crate) fn retry(&mut self, shared: &mut Shared, id: &str) -> bool {
        let Some(it) = self.subscriptions.get_mut(id) else { return false };
        let Some(owed) = &mut it.owed else { return false };
        owed.retries += 1;
        let transaction = owed.transaction.clone();
        if self.customers.get(&it.customer).is_none_or(|it| it.card_fails) {
            return self.decline(shared, &transaction, "declined");
        }
        self.capture(shared, &transaction);
        self.recover(shared, id);
        true
    }

    /// Nothing was collected. The renewal stays past due.
    pub(crate) fn give_up(&mut self, shared: &mut Shared, id: &str, end: DunningEnd) {
        match end {
            DunningEnd::Cancel => self.cancel_now(shared, id),
            DunningEnd::Pause => self.pause_now(shared, id, None),
        }
        self.change_subscription_quietly(id, |it| it.owed = None);
    }

    fn change_subscription_quietly(&mut self, id: &str, change: impl FnOnce(&mut Subscription)) {
        if let Some(it) = self.subscriptions.get_mut(id) {
            change(it);
        }
    }

    /// What is still owed isn't due any more. Documented: past due transactions are canceled with their subscription,
    /// and when it is paused.
    pub(crate) fn void_owed(&mut self, shared: &mut Shared, id: &str) {
        let owed = self.subscriptions.get_mut(id).and_then(|it| it.owed.take());
        if let Some(owed) = owed {
            self.void(shared, &owed.transaction);
        }
    }

    pub(crate) fn cancel_now(&mut self, shared: &mut Shared, id: &str) {
        let now = shared.now;
        self.change_subscription(shared, id, |it| {
            (it.status, it.canceled, it.paused, it.scheduled) = (Status::Canceled, Some(now), None, None);
        });
        self.emit_status(shared, "subscription.canceled", id);
    }

    pub(crate) fn pause_now(&mut self, shared: &mut Shared, id: &str, resume_at: Option<i64>) {
        let now = shared.now;
        let resume = resume_at.map(|at| Scheduled { action: Action::Resume, effective_at: at, resume_at: None });
        self.change_subscription(shared, id, |it| {
            (it.status, it.paused, it.scheduled) = (Status::Paused, Some(now), resume);
        });
        self.emit_status(shared, "subscription.paused", id);
    }

    /// A paused subscription begins a new period, which is billed at once.
    pub(crate) fn resume_now(&mut self, shared: &mut Shared, id: &str) {
        let Some(it) = self.subscriptions.get(id) else { return };
        let period = it.cycle.period(shared.now);
        self.begin_period(shared, id, period);
        self.emit_status(shared, "subscription.resumed", id);
        self.bill(shared, id, 0);
        // Documented: once the transaction is completed, the subscription is updated and activated again.
        if self.subscriptions.get(id).is_some_and(|it| it.status == Status::Active) {
            self.change_subscription(shared, id, |_| {});
            self.emit_status(shared, "subscription.activated", id);
        }
    }

    /// A scheduled change takes effect.
    pub(crate) fn take_effect(&mut self, shared: &mut Shared, id: &str) {
        let Some(scheduled) = self.subscriptions.get(id).and_then(|it| it.scheduled) else { return };
        match scheduled.action {
            Action::Cancel => {
                self.cancel_now(shared, id);
                self.void_owed(shared, id);
            }
            Action::Pause => {
                self.pause_now(shared, id, scheduled.resume_at);
                self.void_owed(shared, id);
            }
            Action::Resume => self.resume_now(shared, id),
        }
    }
}
